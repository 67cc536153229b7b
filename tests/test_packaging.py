"""What is installed is what was meant: one version, and locked packages with hashes and without addresses."""

import re
import tomllib
from pathlib import Path

import pytest

import server
from server.cli.command_line import main

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCKS = sorted(ROOT.glob("requirements*.txt"))


def _name(requirement: str) -> str:
    """The name a requirement begins with, in the one spelling that all compare by."""
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def _locked(path: Path) -> dict[str, str]:
    """Each locked package with what follows its name."""
    lines = path.read_text("utf-8").replace("\\\n", " ").splitlines()
    return {_name(line): line for line in lines if line and not line.startswith("#")}


def test_the_version_is_said_once_and_has_its_section(capsys: pytest.CaptureFixture[str]) -> None:
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "server/__init__.py"
    sections = re.findall(r"^## \[(\d[\w.]*)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert sections[0] == server.__version__
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"nudj-mcp {server.__version__}\n"


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_exact_versions_hashes_and_no_address(path: Path) -> None:
    for line in _locked(path).values():
        assert re.match(r"[\w.-]+==\S+ ", line), line
        assert "--hash=sha256:" in line, line
    assert not re.search(r"://|^\s*-", path.read_text("utf-8").replace("    --hash", ""), re.MULTILINE)


def test_the_server_is_locked_to_the_versions_its_tests_pass_with() -> None:
    wanted = (*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["telemetry"])
    locked = _locked(ROOT / "requirements.txt")
    assert [one for one in map(_name, wanted) if one not in locked] == [], "run scripts/lock-requirements"
    tested = _locked(ROOT / "constraints.txt")
    versions = {name: line.split()[0].partition("==")[2] for name, line in locked.items() if name in tested}
    assert versions == {name: tested[name].partition("==")[2] for name in versions}, "run scripts/lock-requirements"


def test_what_builds_the_wheel_is_locked() -> None:
    wanted = {*PROJECT["build-system"]["requires"], *PROJECT["dependency-groups"]["build"]}
    assert {_name(one) for one in wanted} <= _locked(ROOT / "requirements-build.txt").keys()
