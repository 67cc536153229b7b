"""The clients whose requests are recorded: how each is started, told where the server is, and made to call."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from tests.support.client_processes import CLIENTS as DRIVERS
from tests.support.client_processes import INSPECTOR, MODULES, NODE, surroundings

CALLS: tuple[tuple[str, dict[str, Any]], ...] = (("list_communities", {"limit": 10}), ("report_points", {}))
"""A tool that makes one request, and one that makes many and tells progress."""

CLAUDE_CODE = "@anthropic-ai/claude-code-linux-x64@2.1.330"
FRAMEWORKS = {
    "fastmcp": "fastmcp==4.2.3",
    "pydantic_ai": "pydantic-ai-slim[mcp]",
    "langchain": "langchain-mcp-adapters",
    "openai_agents": "openai-agents",
}
_DISTRIBUTIONS = {
    "pydantic_ai": "pydantic-ai-slim",
    "langchain": "langchain-mcp-adapters",
    "openai_agents": "openai-agents",
}
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect and as whom; `folder` is the client's home, `build` where clients are installed."""

    url: str
    token: str
    domain: str
    folder: Path
    build: Path

    @property
    def headers(self) -> dict[str, str]:
        """The two of a client's config."""
        return {"Authorization": f"Bearer {self.token}", "x-api-domain": self.domain}


@dataclass(frozen=True, slots=True)
class Client:
    """One client. `version` is given the folder of the installations; `lines` go to its standard input."""

    name: str
    command: Callable[[Server], list[str]]
    version: Callable[[Path], str]
    lines: Callable[[Server], bytes] = lambda _: b""
    more: Mapping[str, str] | None = None

    def surroundings(self, server: Server) -> dict[str, str]:
        """The environment it starts in: nothing of this user's."""
        return {**surroundings(str(server.folder)), **(self.more or {}), "PYTHONPATH": ""}


def _driver(name: str, driver: str, package: str, era: str = "auto", *, remote: bool = False) -> Client:
    """A client of tests/clients, which is told what to do line by line."""
    interpreter = sys.executable if driver.endswith(".py") else str(NODE)

    def lines(server: Server) -> bytes:
        setup: dict[str, Any] = {"era": era, "url": server.url, "headers": server.headers}
        if remote:
            words = [str(MODULES / "mcp-remote" / "dist" / "proxy.js"), *_remote(server)]
            setup = {"era": era, "command": str(NODE), "args": words, "env": surroundings(str(server.folder))}
        asked = [{"op": "list"}, *({"op": "call", "name": tool, "args": arguments} for tool, arguments in CALLS)]
        return "".join(json.dumps(each) + "\n" for each in (setup, *asked)).encode()

    def version(_: Path) -> str:
        return metadata.version(package) if driver.endswith(".py") else _npm(MODULES, package)

    return Client(name, lambda _: [interpreter, str(DRIVERS / driver)], version, lines)


def _remote(server: Server) -> list[str]:
    return [server.url, *(word for pair in server.headers.items() for word in ("--header", ":".join(pair)))]


def _framework(name: str) -> Client:
    def command(server: Server) -> list[str]:
        python = str(server.build / name / "bin" / "python")
        return [python, str(_HERE / "framework.py"), name, server.url, json.dumps(server.headers), json.dumps(CALLS)]

    def version(build: Path) -> str:
        said = f"from importlib.metadata import version; print(version({_DISTRIBUTIONS.get(name, name)!r}))"
        return subprocess.run(
            [str(build / name / "bin" / "python"), "-c", said], capture_output=True, text=True, check=True
        ).stdout.strip()

    return Client(name.replace("_", "-"), command, version)


def _claude_code(name: str, *, remote: bool = False) -> Client:
    """Claude Code in print mode, on a stand-in for its model."""
    script = [[f"mcp__nudj__{tool}", arguments] for tool, arguments in CALLS]

    def command(server: Server) -> list[str]:
        entry: dict[str, Any] = {"type": "http", "url": server.url, "headers": server.headers}
        if remote:
            entry = {
                "command": str(NODE),
                "args": [str(MODULES / "mcp-remote" / "dist" / "proxy.js"), *_remote(server)],
            }
        config = server.folder / "mcp.json"
        config.write_text(json.dumps({"mcpServers": {"nudj": entry}}))
        binary = server.build / "node_modules" / "@anthropic-ai" / "claude-code-linux-x64" / "claude"
        words = f'"$0" "$1" {_PORT} "$2" & m=$!; sleep 1; "$3" -p go --mcp-config "$4" --strict-mcp-config '
        words += "--allowedTools mcp__nudj --output-format stream-json --verbose >/dev/null; kill $m"
        model = [sys.executable, str(_HERE / "model.py"), json.dumps(script)]
        return ["sh", "-c", words, *model, str(binary), str(config)]

    return Client(name, command, lambda _: CLAUDE_CODE.rpartition("@")[2], more=_CLAUDE)


_PORT = 18765
"""Of the stand-in for the model; the namespace has no other use for it."""

_CLAUDE = {
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{_PORT}",
    "ANTHROPIC_API_KEY": "none",
}


def _inspector(name: str, era: str) -> Client:
    """Inspector's command line: one call."""

    def command(server: Server) -> list[str]:
        words = [str(NODE), str(INSPECTOR), "--cli", server.url, "--transport", "http", "--protocol-era", era]
        for header, value in server.headers.items():
            words += ["--header", f"{header}: {value}"]
        tool, arguments = CALLS[0]
        return [*words, "--method", "tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments)]

    return Client(name, command, lambda _: _npm(MODULES, "@modelcontextprotocol/inspector"))


def _npm(modules: Path, package: str) -> str:
    version: str = json.loads((modules / package / "package.json").read_text())["version"]
    return version


CLIENTS = (
    _claude_code("claude-code"),
    _claude_code("claude-code-mcp-remote", remote=True),
    *(_framework(name) for name in FRAMEWORKS),
    _inspector("inspector", "legacy"),
    _inspector("inspector-auto", "auto"),
    _driver("typescript-sdk-1", "v1.mjs", "@modelcontextprotocol/sdk"),
    _driver("typescript-sdk-1-mcp-remote", "v1.mjs", "mcp-remote", remote=True),
    _driver("typescript-sdk-2", "v2.mjs", "@modelcontextprotocol/client"),
    _driver("typescript-sdk-2-legacy", "v2.mjs", "@modelcontextprotocol/client", "legacy"),
    _driver("python-sdk", "python.py", "mcp"),
    _driver("python-sdk-legacy", "python.py", "mcp", "legacy"),
)
