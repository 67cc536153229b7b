# What people type most; `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help install check test docs lock hooks

help:  ## list these
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST)

install: .venv/bin/pytest  ## an environment with everything, in .venv

.venv/bin/pytest: pyproject.toml constraints.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

check: install  ## style, types and the rules of the house, in a minute
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/pytest -n0 -q tests/test_rooms.py tests/test_docs.py tests/test_pages.py tests/test_packaging.py

test: install  ## the whole suite
	.venv/bin/pytest

docs: install  ## write the generated pages
	.venv/bin/python -m scripts.generate_docs

lock: install  ## write the locked requirements from pyproject.toml and constraints.txt
	scripts/lock-requirements

hooks: install  ## check every commit before it is made
	.venv/bin/pip install --quiet pre-commit
	.venv/bin/pre-commit install
