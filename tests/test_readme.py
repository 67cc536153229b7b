"""What the README tells to type does what it says, typed exactly so."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.shared_stack import ROOT
from tools import CATALOGUE
from tools.api.operations import OPERATIONS
from tools.api.unreachable import OUT_OF_REACH

README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody with nothing but nudj-mcp installed."""
    script = tmp_path / "bin" / "nudj-mcp"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m server "$@"\n')
    script.chmod(0o755)
    path = f"{script.parent}{os.pathsep}{os.defpath}"
    return {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "NUDJ_MCP_PORT": "0"}


def command(word: str) -> str:
    """The README's line of its own that runs this command."""
    (line,) = re.findall(rf"^(?:\S+=\S+ )*nudj-mcp {word}\b.*$", README, re.MULTILINE)
    return str(line)


def run(line: str, folder: Path, shell: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", line], cwd=folder, env=shell, capture_output=True, text=True, check=False)


def test_it_is_short_and_soon_runnable() -> None:
    lines = README.splitlines()
    assert len(lines) <= 150
    assert any("nudj-mcp demo" in line for line in lines[:40])


def test_the_tools_and_operations_it_counts_are_those_of_the_code() -> None:
    reached = len(OPERATIONS) - len(OUT_OF_REACH)
    assert f"{len(CATALOGUE)} tools over {reached} of the Admin API's {len(OPERATIONS)} operations" in README


def test_the_config_command_connects_a_client_without_writing_a_secret_and_can_be_undone(
    tmp_path: Path, shell: dict[str, str]
) -> None:
    line = command("config")
    assert run(line, tmp_path, shell).returncode == 0
    file = tmp_path / ".mcp.json"
    entry = json.loads(file.read_text("utf-8"))["mcpServers"]["nudj"]
    assert entry["url"] in line
    assert entry["headers"]["x-api-domain"] in line
    assert entry["headers"]["Authorization"] == "Bearer ${NUDJ_MCP_TOKEN}"
    assert run(line.replace("--write", "--dry-run"), tmp_path, shell).stdout == ""
    assert run(line.replace("--write", "--remove"), tmp_path, shell).returncode == 0
    assert json.loads(file.read_text("utf-8")) == {"mcpServers": {}}


def test_every_client_it_names_can_be_configured(tmp_path: Path, shell: dict[str, str]) -> None:
    named = re.search(r"^((?:`[\w-]+`,? (?:and )?)+)work the same way", README, re.MULTILINE)
    assert named is not None
    for client in re.findall(r"`([\w-]+)`", named[1]):
        shown = run(command("config").replace("claude-code", client).replace("--write", ""), tmp_path, shell)
        assert shown.returncode == 0, shown.stderr
    desktop = re.search(r"`(nudj-mcp config claude-desktop .*)`", README)
    assert desktop is not None
    shown = run(f"{desktop[1]} --file desktop.json", tmp_path, shell)
    assert shown.returncode == 0, shown.stderr
    assert '"NAME"' in (tmp_path / "desktop.json").read_text("utf-8")


@pytest.fixture
def serving(tmp_path: Path, shell: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The serve command, with the directory that docs/your-own-api.md shows."""
    directory = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / "your-own-api.md").read_text("utf-8"), re.DOTALL)
    assert directory is not None
    (tmp_path / "tenants.toml").write_text(directory[1], "utf-8")
    line = command("serve").replace(" nudj-mcp", " exec nudj-mcp")
    with subprocess.Popen(["sh", "-c", line], cwd=tmp_path, env=shell, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_the_serve_command_serves_until_it_is_told_to_stop(serving: subprocess.Popen[str]) -> None:
    assert serving.stderr is not None
    said = [""]
    while "serving on port" not in said[-1]:
        said.append(serving.stderr.readline())
        assert said[-1], said
    port = re.search(r"serving on port (\d+)", said[-1])
    assert port is not None
    assert any("1 tenants" in line for line in said)
    with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/healthz") as answer:
        assert answer.status == 200
    serving.send_signal(signal.SIGTERM)
    serving.communicate(timeout=30)
    assert serving.returncode == 0


def test_the_doctor_says_what_is_missing_on_a_fresh_machine(tmp_path: Path, shell: dict[str, str]) -> None:
    assert "`nudj-mcp doctor`" in README
    told = run("nudj-mcp doctor", tmp_path, shell)
    assert told.returncode != 0
    assert "✗" in told.stdout
    assert "Traceback" not in told.stdout + told.stderr


@pytest.mark.parametrize(
    ("name", "flags"),
    sorted(set(re.findall(r"(?:^|/|`|=\S+ )nudj-mcp (\w+)((?: [\w./:-]+| --[\w-]+)*)", README, re.MULTILINE))),
)
def test_every_command_and_flag_it_mentions_exists(
    tmp_path: Path, shell: dict[str, str], name: str, flags: str
) -> None:
    told = run(f"nudj-mcp {name} --help", tmp_path, shell)
    assert told.returncode == 0
    assert [flag for flag in flags.split() if flag.startswith("--") and flag not in told.stdout] == []
