"""Claude Code itself, asked about good and broken blocks; the doctor must come to the same, in both directions."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server.clients.own_process import isolate_ourselves
from tests.support.client_processes import MODULES, surroundings
from tests.support.doctor_runs import examined
from tests.support.hosted_server import ROOT, Hosted, hosted

CLAUDE = MODULES / "@anthropic-ai" / "claude-code-linux-x64" / "claude"

if not CLAUDE.exists() and not os.environ.get("NUDJ_REQUIRE_ALL"):
    pytest.skip("run tests/clients/install on Linux first", allow_module_level=True)

Entry = dict[str, Any]


@pytest.fixture(scope="module")
def world() -> Iterator[Hosted]:
    """One deployment for all blocks."""
    with hosted() as found:
        yield found


def _around(world: Hosted, home: Path, **more: str) -> dict[str, str]:
    """Where Claude Code and the doctor both start: nothing of this user's, and no way to anything but this machine."""
    around: dict[str, str] = {**surroundings(str(home)), **world.environment}
    around |= {"NUDJ_MCP_TOKEN": world.token("manager"), "NUDJ_API_DOMAIN": world.domain(), "EMPTY": ""}
    return around | {"TWICE": f"Bearer {world.token('manager')}", "EXPIRED": world.token("expired")} | more


def _claude(around: Mapping[str, str], home: Path, *words: str, model: str = "http://127.0.0.1:1") -> str:
    (home / ".claude").mkdir(exist_ok=True)
    (home / ".claude" / "settings.json").write_text(json.dumps({"enableAllProjectMcpServers": True}))
    own = {
        "CLAUDE_CONFIG_DIR": str(home / ".claude"),
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "ANTHROPIC_API_KEY": "none",
        "ANTHROPIC_BASE_URL": model,
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "NO_PROXY": "127.0.0.1,localhost",
    }
    done = subprocess.run(
        [str(CLAUDE), *words], cwd=home, env={**around, **own}, capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout + done.stderr


def _http(world: Hosted, token: str = "${NUDJ_MCP_TOKEN}", **changes: Any) -> Entry:
    headers = {"Authorization": f"Bearer {token}", "x-api-domain": "${NUDJ_API_DOMAIN}"}
    entry = {"type": "http", "url": f"{world.origin}/mcp", "headers": headers} | changes
    return {name: value for name, value in entry.items() if value is not None}


def _stdio(_world: Hosted, **changes: Any) -> Entry:
    env = {"NUDJ_MCP_TOKEN": "${NUDJ_MCP_TOKEN}", "NUDJ_API_DOMAIN": "${NUDJ_API_DOMAIN}"}
    entry = {"type": "stdio", "command": "nudj-mcp", "args": ["stdio"], "env": env} | changes
    return {name: value for name, value in entry.items() if value is not None}


ENTRIES: dict[str, Callable[[Hosted], Any]] = {
    "good": _http,
    "streamable_http": lambda world: _http(world, type="streamable-http"),
    "sse": lambda world: _http(world, type="sse", url=f"{world.origin}/sse"),
    "default": lambda world: _http(world, url=f"${{NOWHERE:-{world.origin}/mcp}}"),
    "members_nobody_knows": lambda world: _http(world, disabled=True, note=1),
    "subdomain_in_the_path": lambda world: _http(
        world, url=f"{world.origin}/t/acme/mcp", headers={"Authorization": "Bearer ${NUDJ_MCP_TOKEN}"}
    ),
    "stdio": _stdio,
    "stdio_without_type": lambda world: _stdio(world, type=None),
    "stdio_and_an_unset_variable_nobody_reads": lambda world: _stdio(
        world, env=_stdio(world)["env"] | {"NOTE": "${NOWHERE}"}
    ),
    "url_without_type": lambda world: _http(world, type=None),
    "sse_on_mcp": lambda world: _http(world, type="sse"),
    "cursors_variable": lambda world: _http(world, "${env:NUDJ_MCP_TOKEN}"),
    "opencodes_variable": lambda world: _http(world, "{env:NUDJ_MCP_TOKEN}"),
    "shells_variable": lambda world: _http(world, "$NUDJ_MCP_TOKEN"),
    "editors_prompt": lambda world: _http(world, "${input:nudj-token}"),
    "unset_variable": lambda world: _http(world, "${NOWHERE}"),
    "empty_variable": lambda world: _http(world, "${EMPTY}"),
    "bearer_twice": lambda world: _http(world, "${TWICE}"),
    "expired_token": lambda world: _http(world, "${EXPIRED}"),
    "no_headers": lambda world: _http(world, headers=None),
    "no_domain": lambda world: _http(world, headers={"Authorization": "Bearer ${NUDJ_MCP_TOKEN}"}),
    "windsurfs_url": lambda world: _http(world, url=None, serverUrl=f"{world.origin}/mcp"),
    "capital_type": lambda world: _http(world, type="HTTP"),
    "web_socket": lambda world: _http(world, type="ws"),
    "number_in_a_header": lambda world: _http(world, headers=_http(world)["headers"] | {"x-agent-mode": 1}),
    "url_without_scheme": lambda world: _http(world, url=f"{world.origin.removeprefix('http://')}/mcp"),
    "url_without_path": lambda world: _http(world, url=world.origin),
    "nobody_there": lambda world: _http(world, url="http://127.0.0.1:1/mcp"),
    "command_absent": lambda world: _stdio(world, command="nudj-mcq"),
    "command_with_its_words": lambda world: _stdio(world, command="nudj-mcp stdio", args=None),
    "words_as_a_text": lambda world: _stdio(world, args="stdio"),
    "stdio_with_a_url": lambda world: _http(world, type="stdio"),
    "stdio_and_an_unset_token": lambda world: _stdio(
        world, env=_stdio(world)["env"] | {"NUDJ_MCP_TOKEN": "${NOWHERE}"}
    ),
    "nothing": lambda _world: {},
    "a_text": lambda _world: "nudj",
}


@pytest.fixture(scope="module")
def called(world: Hosted, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bool]:
    """Of each entry, whether a call of the real client went all the way; one run asks all of them."""
    home = tmp_path_factory.mktemp("claude")
    servers = {name: build(world) for name, build in ENTRIES.items()}
    (home / ".mcp.json").write_text(json.dumps({"mcpServers": servers}))
    script = [[f"mcp__{name}__list_communities", {}] for name in ENTRIES]
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    model = subprocess.Popen([sys.executable, str(ROOT / "scripts/roads/model.py"), str(port), json.dumps(script)])
    try:
        allowed = ",".join(f"mcp__{name}" for name in ENTRIES)
        words = ("-p", "go", "--allowedTools", allowed, "--output-format", "stream-json", "--verbose")
        said = _claude(_around(world, home), home, *words, model=f"http://127.0.0.1:{port}")
    finally:
        model.terminate()
        model.wait()
    results = dict(_read_results(said))
    assert len(results) == len(ENTRIES), said[-3000:]
    verdicts = {name: '"ok":true' in results[place] for place, name in enumerate(ENTRIES)}
    assert set(verdicts.values()) == {True, False}, verdicts
    return verdicts


def _read_results(said: str) -> Iterator[tuple[int, str]]:
    """Each tool's result as the model would read it, by the place of its call."""
    for line in said.splitlines():
        if not line.startswith('{"type":"user"'):
            continue
        for part in json.loads(line)["message"]["content"]:
            if part.get("type") == "tool_result":
                text = json.dumps(part["content"]).replace("\\", "")
                yield int(part["tool_use_id"].removeprefix("toolu_")), re.sub(r"\s", "", text)


@pytest.mark.parametrize("name", ENTRIES)
async def test_the_doctor_agrees_with_the_real_client(
    world: Hosted, called: Mapping[str, bool], tmp_path: Path, name: str
) -> None:
    whole = json.dumps({"mcpServers": {"nudj": ENTRIES[name](world)}})
    steps = await examined(tmp_path, whole, "claude-code", around=_around(world, tmp_path))
    healthy = all(step.good for step in steps)
    assert healthy == called[name], [step.plain() for step in steps if not step.good]


FILES: dict[str, tuple[str, Callable[[str], str]]] = {
    "good": (".mcp.json", lambda entry: f'{{"mcpServers": {{"nudj": {entry}}}}}'),
    "a byte order mark": (".mcp.json", lambda entry: f'\ufeff{{"mcpServers": {{"nudj": {entry}}}}}'),
    "the name twice, the last one good": (
        ".mcp.json",
        lambda entry: f'{{"mcpServers": {{"nudj": {{}}, "nudj": {entry}}}}}',
    ),
    "VS Code's key": (".mcp.json", lambda entry: f'{{"servers": {{"nudj": {entry}}}}}'),
    "a comment": (".mcp.json", lambda entry: f'{{// mine\n"mcpServers": {{"nudj": {entry}}}}}'),
    "a comma too many": (".mcp.json", lambda entry: f'{{"mcpServers": {{"nudj": {entry},}}}}'),
    "a list": (".mcp.json", lambda entry: f'{{"mcpServers": [{entry}]}}'),
    "no key": (".mcp.json", lambda entry: f'{{"nudj": {entry}}}'),
    "another capital": (".mcp.json", lambda entry: f'{{"mcpservers": {{"nudj": {entry}}}}}'),
    "an empty file": (".mcp.json", lambda _entry: ""),
    "the user's file": (".claude/.claude.json", lambda entry: f'{{"mcpServers": {{"nudj": {entry}}}}}'),
    "one person's, in this project": (
        ".claude/.claude.json",
        lambda entry: f'{{"projects": {{"HERE": {{"mcpServers": {{"nudj": {entry}}}}}}}}}',
    ),
    "one person's, in another project": (
        ".claude/.claude.json",
        lambda entry: f'{{"projects": {{"/elsewhere": {{"mcpServers": {{"nudj": {entry}}}}}}}}}',
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_the_doctor_finds_what_the_real_client_finds(world: Hosted, tmp_path: Path, name: str) -> None:
    place, build = FILES[name]
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    file.write_text(build(json.dumps(_http(world))).replace("HERE", str(tmp_path)), "utf-8")
    around = _around(world, tmp_path)
    listed = re.search("nudj: .*Connected", _claude(around, tmp_path, "mcp", "list")) is not None
    words = [*isolate_ourselves({}, "doctor", "claude-code").command]
    environment = {**around, "CLAUDE_CONFIG_DIR": str(tmp_path / ".claude")}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode == 0) == listed, done.stdout + done.stderr
