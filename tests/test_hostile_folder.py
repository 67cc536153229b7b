"""Modules that lie in the folder a person stands in, or on PYTHONPATH, are run by no command and no block of ours."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from server.clients.client import Client, Machine
from server.clients.entries import Started, read_entry
from server.clients.finding import find_entry
from server.clients.own_process import name_command
from server.clients.table import CLIENTS
from tests.support.hosted_server import Hosted, hosted

NAMES = ("server", "tools", "jwt", "anyio", "mcp", "pydantic", "json", "keyring", "sitecustomize", "usercustomize")
UNREACHED = (sys.executable, "-E", "-P", "-m", "server")
"""The command a person types: its own start is not what is on trial, so it sees neither folder nor PYTHON*."""


@pytest.fixture(scope="module")
def world() -> Iterator[Hosted]:
    """A deployment."""
    with hosted() as found:
        yield found


class Hostile:
    """A folder full of modules that write down that they were run, and with what token."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "hostile"
        self.traces = folder / "traces"
        self.folder.mkdir()
        for name in NAMES:
            text = (
                "import os\n"
                f"with open({str(self.traces)!r}, 'a') as out:\n"
                f"    print({name!r}, 'NUDJ_MCP_TOKEN' in os.environ, file=out)\n"
            )
            (self.folder / f"{name}.py").write_text(text)

    def ran(self) -> str:
        return self.traces.read_text() if self.traces.exists() else ""

    def run(
        self, *command: str, environment: Mapping[str, str] = {}, given: str = "", path: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        """A command from that folder; with `path` PYTHON* variables point there as well."""
        around = {name: value for name, value in os.environ.items() if not name.startswith(("NUDJ_", "PYTHON"))}
        if path:
            around |= {"PYTHONPATH": str(self.folder), "PYTHONUSERBASE": str(self.folder), "PYTHONHOME": ""}
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**around, **environment},
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def hostile(tmp_path: Path) -> Hostile:
    """Such a folder, nothing run yet."""
    return Hostile(tmp_path)


def test_the_folder_is_hostile_indeed(hostile: Hostile) -> None:
    hostile.run(sys.executable, "-m", "server", "--version", environment={"NUDJ_MCP_TOKEN": "a.b.c"})
    assert "server True" in hostile.ran()
    hostile.traces.unlink()
    hostile.run(sys.executable, "-P", "-c", "", path=True)
    assert "sitecustomize" in hostile.ran()


ON_PATH = pytest.mark.parametrize("path", [False, True], ids=["folder", "PYTHONPATH"])


@ON_PATH
def test_login_and_whoami_run_none_of_it(hostile: Hostile, world: Hosted, tmp_path: Path, path: bool) -> None:
    kept = ("--profile-file", str(tmp_path / "kept.json"))
    words = ("login", "--domain", world.domain(), "--token-file", "-", *kept)
    token = world.token("manager")
    login = hostile.run(*UNREACHED, *words, environment=world.environment, given=token, path=path)
    assert login.returncode == 0, login.stdout + login.stderr
    whoami = hostile.run(*UNREACHED, "whoami", *kept, environment=world.environment, path=path)
    assert "manager" in whoami.stdout, whoami.stdout + whoami.stderr
    assert hostile.ran() == ""


@ON_PATH
def test_the_demo_runs_none_of_it(hostile: Hostile, path: bool) -> None:
    demo = hostile.run(*UNREACHED, "demo", "--once", path=path)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "stdio" in demo.stdout
    assert hostile.ran() == ""


def _around(world: Hosted) -> dict[str, str]:
    return {**world.environment, "NUDJ_MCP_TOKEN": world.token("viewer"), "NUDJ_API_DOMAIN": world.domain()}


@ON_PATH
def test_the_doctor_runs_none_of_it(hostile: Hostile, world: Hosted, path: bool) -> None:
    done = hostile.run(*UNREACHED, "doctor", environment=_around(world), path=path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert hostile.ran() == ""


@ON_PATH
def test_not_even_for_a_block_that_names_a_module(hostile: Hostile, world: Hosted, tmp_path: Path, path: bool) -> None:
    """Somebody's own block starts `-m server`; the folder is kept from it for as long as the doctor looks at it."""
    file = tmp_path / "client.json"
    block = {"command": sys.executable, "args": ["-m", "server", "stdio"]}
    file.write_text(json.dumps({"mcpServers": {"nudj": block}}))
    done = hostile.run(*UNREACHED, "doctor", "--file", str(file), environment=_around(world), path=path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert hostile.ran() == ""


STDIO = [client for client in CLIENTS if "stdio" in client.ways]


@pytest.mark.parametrize("client", STDIO, ids=lambda client: client.name)
def test_what_config_writes_runs_none_of_it(hostile: Hostile, world: Hosted, tmp_path: Path, client: Client) -> None:
    """The client starts it in the project's folder, which is the hostile one."""
    profile, file = tmp_path / "profile.json", hostile.folder / "client.json"
    apart = not client.expands_commands and client.members.passed is None
    wish = ("--profile", "acme") if apart else ("--domain", world.domain())
    done = hostile.run(*UNREACHED, "config", client.name, "--via", "stdio", *wish, "--file", str(file), "--write")
    assert done.returncode == 0, done.stderr
    machine = Machine(sys.platform, tmp_path, tmp_path, {"NUDJ_MCP_TOKEN": "a.b.c"})
    entry = read_entry(client, find_entry(client, file, "nudj", machine).block, machine)
    assert isinstance(entry, Started)
    words = list(entry.words)
    if apart:
        kept = ("--profile-file", str(profile))
        login = (*UNREACHED, "login", "--domain", world.domain(), "--token-file", "-", "--profile", "acme", *kept)
        assert hostile.run(*login, environment=world.environment, given=world.token("viewer")).returncode == 0
        words += kept
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}) + "\n"
    answered = hostile.run(*words, environment=_around(world), given=request)
    assert json.loads(answered.stdout)["result"]["serverInfo"], answered.stderr
    assert hostile.ran() == ""


def test_where_no_script_stands_the_isolated_form_is_named_and_runs_none_of_it(
    hostile: Hostile, tmp_path: Path
) -> None:
    assert name_command(tmp_path / "python3")[1:] == ("-E", "-P", "-m", "server")
    done = hostile.run(sys.executable, *name_command(tmp_path / "python3")[1:], "--version", path=True)
    assert done.stdout.startswith("nudj-mcp ")
    assert hostile.ran() == ""
