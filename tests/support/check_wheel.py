"""Run with the Python of a fresh environment that has only the wheel: it must hold all of us and shadow nobody."""

import importlib.metadata
import pathlib

owners = importlib.metadata.packages_distributions()
for package in ("server", "tools"):
    assert owners[package] == ["nudj-mcp"], f"{package} belongs to {owners[package]}"
files = {str(file) for file in importlib.metadata.files("nudj-mcp") or ()}
for needed in ("server/access/roles.toml", "tools/api/openapi.json", "server/py.typed", "tools/py.typed"):
    assert needed in files, f"{needed} is not in the wheel"
import server  # noqa: E402 - after the checks, so that their words come first

assert "site-packages" in str(pathlib.Path(server.__file__))
assert importlib.metadata.version("nudj-mcp") == server.__version__
