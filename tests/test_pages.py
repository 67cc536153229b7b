"""The hand-written pages keep their word: what they name exists, what they tell to do works."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from server.identity.claims import ExpectedClaims, build_principal
from server.identity.principal import Grant, Role
from server.identity.token_format import UnverifiedToken
from server.settings import Settings, name_variable

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def _tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.split()


def test_every_test_that_the_security_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "security.md").read_text("utf-8")))
    written = {
        name
        for file in (ROOT / "tests").glob("test_*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text("utf-8"))
    }
    assert named
    assert named - written == set()


def test_every_threat_and_rule_of_the_security_page_names_a_test_that_shows_it() -> None:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    for section in ("Cases that happened elsewhere", "What must hold"):
        table = re.search(rf"^## {section}\n.*?(?=^## )", page, re.MULTILINE | re.DOTALL)
        assert table is not None
        rows = [line for line in table[0].splitlines() if line.startswith("| ")][1:]
        assert len(rows) >= 10
        assert [row for row in rows if "`test_" not in row] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_architecture_page_has_a_place_for_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    inside = (name.removeprefix("server/") for name in _tracked() if name.startswith("server/"))
    rooms = {f"{room}/" if rest else room for room, _, rest in (name.partition("/") for name in inside)}
    assert [room for room in sorted(rooms) if f"`{room}" not in page and not room.startswith("__")] == ["py.typed"]


def test_the_recipe_for_a_tool_works_as_written(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for name in ("server", "tools", "tests", "docs", "scripts", "pyproject.toml"):
        source = ROOT / name
        ignored = shutil.ignore_patterns("node_modules", "__pycache__")
        shutil.copytree(source, copy / name, ignore=ignored) if source.is_dir() else shutil.copy(source, copy / name)
    recipe = (ROOT / "docs" / "adding-a-tool.md").read_text("utf-8")
    tool, its_test = re.findall(r"```python\n(.*?)```", recipe, re.DOTALL)
    (copy / "tools" / "people" / "live.py").write_text(tool, "utf-8")
    (copy / "tests" / "test_tool_live.py").write_text(its_test, "utf-8")
    catalogue = copy / "tools" / "__init__.py"
    said = catalogue.read_text("utf-8").replace("import communities, team", "import communities, live, team", 1)
    catalogue.write_text(said.replace("    *communities.TOOLS,", "    *communities.TOOLS,\n    *live.TOOLS,"), "utf-8")
    script = re.search(r"```sh\n(.*?)```", recipe, re.DOTALL)
    assert script is not None
    commands = (
        script[1]
        .replace("python ", f"{sys.executable} ")
        .replace("pytest ", f"{sys.executable} -m pytest -n0 -q -k 'live or page or catalogue' ")
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        ["sh", "-ec", commands], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-2000:]
    assert "list_live_communities" in (copy / "docs" / "tools.md").read_text("utf-8")


def test_the_token_for_an_api_of_ones_own_is_understood_and_belongs_to_the_tenant_beside_it() -> None:
    page = (ROOT / "docs" / "your-own-api.md").read_text("utf-8")
    example, directory = (re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("json", "toml"))
    assert example is not None
    assert directory is not None
    claims, tenants = json.loads(example[1]), tomllib.loads(directory[1])["tenants"]
    expected = ExpectedClaims(issuer=claims["iss"], audience=claims["aud"])
    who = build_principal(UnverifiedToken("", "ES256", None, claims), "digest", expected, claims["exp"] - 1)
    assert (who.kind, who.grants, who.token_id) == ("bearer", (Grant(Role.MANAGER),), "token-1")
    assert [tenant["organisation"] for tenant in tenants.values()] == [who.organisation]


def test_no_file_names_a_path_of_one_machine_or_where_to_download_from() -> None:
    places = "|".join(("Users", "home", "root", "work", "opt/venv", "opt/pypi"))
    forbidden = re.compile(rf"(?<![.\w])/(?:{places})\b|index[-_]url|registry\W+http")
    found = []
    for name in _tracked():
        file = ROOT / name
        if file.suffix not in {".png", ".jpg", ".woff2"}:
            found += [f"{name}: {line[:80]}" for line in file.read_text("utf-8").splitlines() if forbidden.search(line)]
    assert found == []


def test_pins_are_names_and_versions_and_no_addresses() -> None:
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(r"[\w.-]+==[\w.+!-]+", line), line
    lock = (ROOT / "tests" / "clients" / "package-lock.json").read_text("utf-8")
    assert "resolved" not in lock
    assert ".tgz" not in lock


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_setting_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    files = set(re.findall(r"`((?:server|tools|tests|docs|deploy|bench)/[\w./-]+\.\w+)`", text)) - {
        "tools/people/live.py",
        "tests/test_tool_live.py",
    }
    assert [name for name in files if not (ROOT / name).exists()] == []
    settings = {name_variable(name) for name in Settings.model_fields}
    assert set(re.findall(r"\bNUDJ_MCP_[A-Z_]+[A-Z]\b", text)) - settings - {"NUDJ_MCP_TOKEN", "NUDJ_MCP_URL"} == set()
