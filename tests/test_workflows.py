"""What stands in .github fits the schemas of its kind, and only what is pinned runs where something is published."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FILES = (
    *(("vendor.github-workflows", path) for path in WORKFLOWS),
    ("vendor.dependabot", GITHUB / "dependabot.yml"),
    ("vendor.github-issue-config", GITHUB / "ISSUE_TEMPLATE" / "config.yml"),
    ("vendor.github-issue-forms", GITHUB / "ISSUE_TEMPLATE" / "bug.yml"),
    ("vendor.github-issue-forms", GITHUB / "ISSUE_TEMPLATE" / "idea.yml"),
)


def _check(schema: str, path: Path) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def _jobs(name: str) -> dict[str, Any]:
    jobs: dict[str, Any] = yaml.safe_load((GITHUB / "workflows" / name).read_text("utf-8"))["jobs"]
    return jobs


@pytest.mark.parametrize(("schema", "path"), FILES, ids=[path.name for _, path in FILES])
def test_a_file_fits_the_schema_of_its_kind(schema: str, path: Path) -> None:
    done = _check(schema, path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_slip_would_be_found(tmp_path: Path) -> None:
    slipped = tmp_path / "ci.yml"
    slipped.write_text((GITHUB / "workflows" / "ci.yml").read_text("utf-8").replace("runs-on", "run-on"), "utf-8")
    assert _check("vendor.github-workflows", slipped).returncode != 0


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit(path: Path) -> None:
    used = re.findall(r"uses: (\S+)", path.read_text("utf-8"))
    assert [one for one in used if not one.startswith("./") and not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one)] == []


def test_ci_runs_what_decides_and_every_script_it_names_is_there() -> None:
    named = [step["run"] for job in _jobs("ci.yml").values() for step in job["steps"] if "run" in step]
    scripts = [word for command in named for word in command.split() if word.startswith(".ci/")]
    assert scripts == [".ci/run", ".ci/long"]
    assert all((ROOT / script).stat().st_mode & 0o100 for script in scripts)
    assert _jobs("ci.yml")["run"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]


def test_the_job_that_publishes_runs_nothing_of_ours_and_no_other_may_publish() -> None:
    jobs = _jobs("release.yml")
    assert [step for step in jobs["publish"]["steps"] if "run" in step or "checkout" in step["uses"]] == []
    assert {name for name, job in jobs.items() if "environment" in job} == {"publish"}
    assert jobs["publish"]["needs"] == "attest"
    assert jobs["attest"]["needs"] == "build"
    assert jobs["build"]["needs"] == "test"
    built = " ".join(step.get("run", "") for step in jobs["build"]["steps"])
    assert "pytest" not in built
    assert "npm" not in built
    assert built.count("--require-hashes") == 3
