"""The words a person types besides serving: tools, call, whoami; and what is said when something is in the way."""

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.cli.command_line import COMMANDS
from server.cli.tables import render, show
from server.clients.own_process import isolate_ourselves
from server.doctor.results import EXIT
from server.settings import Settings, name_variable
from tests.support.hosted_server import Hosted, hosted


@pytest.fixture(scope="module")
def world() -> Iterator[Hosted]:
    """A deployment."""
    with hosted() as found:
        yield found


def _run(*words: str, given: str = "", **around: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        isolate_ourselves({}, *words).command,
        env={"PATH": os.defpath, "COLUMNS": "80"} | around,
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _ask(world: Hosted, *words: str, over: str = "http", token: str = "manager", given: str = "") -> str:
    around = {"NUDJ_MCP_TOKEN": world.token(token), "NUDJ_API_DOMAIN": world.domain()}
    if over == "http":
        done = _run(*words, "--url", f"{world.origin}/mcp", given=given, **around)
    else:
        done = _run(*words, given=given, **around, **world.environment)
    assert world.token(token) not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return f"{done.returncode}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("over", ["http", "stdio"])
def test_tools_are_listed_and_called_over_the_way_a_client_goes(world: Hosted, over: str) -> None:
    listed = _ask(world, "tools", over=over)
    assert listed.startswith("0\ntool")
    assert "list_challenges" in listed
    called = _ask(world, "call", "list_challenges", '{"limit": 2}', over=over)
    assert called.startswith("0\nitems:\n  id ")
    answer = json.loads(_ask(world, "call", "list_challenges", "-", "--json", over=over, given='{"limit": 2}')[2:])
    assert len(answer["data"]["items"]) == 2


def test_one_tool_is_described(world: Hosted) -> None:
    assert "community_id" in _ask(world, "tools", "create_challenge")
    assert json.loads(_ask(world, "tools", "create_challenge", "--json")[2:])["inputSchema"]["required"]
    assert _ask(world, "tools", "nope").startswith("1\n")


def test_a_refusal_is_told_with_its_hint(world: Hosted) -> None:
    assert "arguments_invalid (400)" in _ask(world, "call", "list_challenges", '{"limit": 3000}')
    assert "role_denied (403)" in _ask(world, "call", "create_tag", '{"name": "x"}', token="viewer")
    assert "nudj-mcp tools" in _ask(world, "call", "nope")
    refused = json.loads(_ask(world, "call", "list_challenges", "--json", token="expired")[2:])
    assert refused["error"]["code"] == "token_expired"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("call", "list_tags", "{"), 2, "not JSON"),
        (("call", "list_tags", "[]"), 2, "not a JSON object"),
        (("call", "list_tags", "--url", "mcp.nudj.cx/mcp"), 2, "https://"),
        (("call", "list_tags", "--domain", "acme"), 2, "domain"),
        (("call", "list_tags", "--url", "http://127.0.0.1:1/mcp"), 11, "cannot be reached"),
        (("call", "list_tags", "--profile-file", "absent"), 2, "no profile"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(words: tuple[str, ...], code: int, says: str) -> None:
    done = _run(*words, NUDJ_MCP_TOKEN="a.b.c")
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("nudj-mcp: ")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_a_token_it_is_named() -> None:
    done = _run("tools")
    assert done.returncode == 2
    assert "NUDJ_MCP_TOKEN is not set" in done.stderr


def test_whoami_is_one_object_for_programs(world: Hosted, tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    kept = ("--profile-file", str(file), "--url", f"{world.origin}/mcp")
    words = ("login", "--domain", world.domain(), "--token-file", "-", *kept)
    assert _run(*words, given=world.token("viewer")).returncode == 0
    said = json.loads(_run("whoami", "--json", *kept).stdout)
    assert said["ok"] is True
    assert {"token", "organisation", "role"} <= {step["name"] for step in said["steps"]}


def test_a_taken_port_is_named_with_its_flag(world: Hosted) -> None:
    done = _run("sandbox", "--port", str(world.port))
    assert done.returncode == 2
    assert f"port {world.port}" in done.stderr
    assert "--port" in done.stderr


def test_a_folder_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = " ".join(isolate_ourselves({}, "config", "claude-code").command)
    done = subprocess.run(
        ["sh", "-c", f"rmdir {gone}; exec {command}"], cwd=gone, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "folder" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("key", "code"), [(b"\x03", 130), (b"\x04", 2)], ids=["Ctrl-C", "Ctrl-D"])
@pytest.mark.parametrize(
    ("words", "question"),
    [(("config", "claude-code"), b"organisation"), (("login", "--domain", "https://a.nudj.cx/api/v2/admin"), b"Token")],
    ids=["config", "login"],
)
def test_a_key_that_ends_a_question_is_answered_with_a_sentence(
    words: tuple[str, ...], question: bytes, key: bytes, code: int
) -> None:
    child, terminal = pty.fork()
    if child == 0:
        command = isolate_ourselves({}, *words).command
        os.execve(command[0], command, {"PATH": os.defpath})
    said = b""
    while question not in said:
        said += os.read(terminal, 4096)
    time.sleep(0.2)
    os.write(terminal, key)
    try:
        while more := os.read(terminal, 4096):
            said += more
    except OSError:  # the other end was closed
        os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == code, said
    assert b"Traceback" not in said


def test_stdio_ends_at_once_when_told_to(world: Hosted) -> None:
    around = {"PATH": os.defpath, "NUDJ_MCP_TOKEN": world.token("viewer"), "NUDJ_API_DOMAIN": world.domain()}
    command = isolate_ourselves({}, "stdio").command
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    with subprocess.Popen(
        command,
        env={**around, **world.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stderr is not None
        server.stdin.write(
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}).encode() + b"\n"
        )
        server.stdin.flush()
        assert server.stdout.readline()
        server.send_signal(signal.SIGINT)
        assert server.wait(5) == 0
        assert b"Traceback" not in server.stderr.read()


def test_help_names_choices_defaults_groups_and_exit_codes() -> None:
    told = _run("serve", "--help").stdout
    assert "{jwks,keys,upstream}" in told
    assert "default: 4010" in told
    assert told.count("\nsettings: ") > 3
    assert [name for name in ("port", "auth_verify") if name_variable(name) not in told] == []
    assert max(len(line) for line in told.splitlines()) <= 80
    doctor = " ".join(_run("doctor", "--help").stdout.split())
    assert [f"{code} {kind.value}" for kind, code in EXIT.items() if f"{code} {kind.value}" not in doctor] == []
    whole = _run("--help").stdout
    assert [word for word in COMMANDS if f"\n    {word} " not in whole] == []
    assert Settings.model_fields["port"].default == 4010


def test_a_table_shows_what_would_steer_the_terminal() -> None:
    assert show("a\x1b[31mb\u202e") == "a\\x1b[31mb\\u202e"
    assert render({"items": [{"id": 1, "title": "x"}], "n": 2}).splitlines()[0] == "items:"
