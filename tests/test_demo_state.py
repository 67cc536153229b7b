"""The demo of tomorrow is the one of today: what was pasted works again, for its owner alone, and once is once."""

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from server.cli.demo_state import open_state
from server.clients.own_process import isolate_ourselves
from server.settings import SettingsError


def _around(home: Path) -> dict[str, str]:
    return {"PATH": os.defpath, "HOME": str(home), "XDG_STATE_HOME": str(home / "state")}


@contextmanager
def _demo(home: Path, port: int) -> Iterator[str]:
    """What the demo invites to, while it is up."""
    command = isolate_ourselves({}, "demo", "--port", str(port)).command
    with subprocess.Popen(command, env=_around(home), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = ""
        while "Stop with Ctrl-C." not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        yield said[said.index("The server stays up") :]
        process.terminate()


def _call(block: dict[str, Any], home: Path) -> str:
    entry = block["mcpServers"]["nudj"]
    around = {
        "NUDJ_MCP_TOKEN": entry["headers"]["Authorization"].removeprefix("Bearer "),
        "NUDJ_API_DOMAIN": entry["headers"]["x-api-domain"],
    }
    command = isolate_ourselves({}, "call", "check_connection", "--json", "--url", entry["url"]).command
    done = subprocess.run(command, env=_around(home) | around, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout


def test_a_block_pasted_yesterday_works_today(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with _demo(tmp_path, port) as yesterday:
        refused = subprocess.run(
            isolate_ourselves({}, "demo", "--port", "0").command,
            env=_around(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert refused.returncode == 2
        assert "another demo runs already" in refused.stderr
    with _demo(tmp_path, port) as today:
        assert today == yesterday
        found = re.search(r"^\{.*?^\}", yesterday, re.MULTILINE | re.DOTALL)
        assert found is not None
        assert json.loads(_call(json.loads(found[0]), tmp_path))["ok"] is True
    folder = tmp_path / "state" / "nudj-mcp" / "demo"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_a_demo_of_once_leaves_nothing_behind(tmp_path: Path) -> None:
    command = isolate_ourselves({}, "demo", "--once").command
    done = subprocess.run(command, env=_around(tmp_path), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_state_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(SettingsError, match="to start anew"), open_state(tmp_path):
        pass
