"""The clients people use, themselves: each lists, calls, hears the whole reason of a refusal and survives a restart."""

import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from server.clients.blocks import build_document
from server.clients.table import find_client
from server.clients.target import Target
from tests.support.client_processes import CLIENTS, INSPECTOR, NODE, Driven, driven, needs_node, surroundings
from tests.support.hosted_server import Hosted, hosted

EXAMPLE = Path(__file__).parent.parent / "claude_config.example.json"


@pytest.fixture(scope="module")
def world() -> Iterator[Hosted]:
    """One deployment for all clients."""
    needs_node()
    with hosted() as found:
        yield found


@dataclass(frozen=True, slots=True)
class Way:
    """A client and how it reaches the server.

    Parameters:
        path: of the server; None for stdio.
        version: the protocol revision the two must settle on.
        example: the entry of claude_config.example.json to use as it stands, instead of url and headers.
    """

    driver: str
    path: str | None
    version: str | None
    era: str = "auto"
    example: str | None = None

    def __str__(self) -> str:
        return "-".join((self.driver.partition(".")[0], (self.example or self.path or "").strip("/"), self.era))

    def connect(
        self, world: Hosted, token: str = "admin", organisation: str = "acme"
    ) -> AbstractContextManager[Driven]:
        """The client, with a token of acme, at an organisation."""
        url = f"{world.origin}{self.path}"
        if self.example is None:
            return driven(self.driver, {"era": self.era, "url": url, "headers": world.headers(token, organisation)})
        variables = {
            "NUDJ_MCP_URL": url,
            "NUDJ_MCP_TOKEN": world.token(token),
            "NUDJ_API_DOMAIN": world.domain(organisation),
        }
        entry = expanded(json.loads(EXAMPLE.read_text())["mcpServers"][self.example], variables)
        # All entries of the file live in one environment, so each also sees the variables that only the others use.
        whole = with_server(entry, world)
        whole["env"] = {**variables, **whole["env"]}
        return driven(self.driver, {"era": self.era, **whole})


def with_server(entry: Mapping[str, Any], world: Hosted) -> dict[str, Any]:
    """The entry; one that starts the server itself also gets what makes it trust the test's tenant."""
    local = entry.get("command") == "nudj-mcp"
    return {**entry, "env": {**entry["env"], **world.environment}} if local else dict(entry)


def expanded(value: Any, variables: Mapping[str, str]) -> Any:
    """As Claude Code does it: ${NAME} and ${NAME:-default}; what is not set stays as it is."""
    if isinstance(value, dict):
        return {name: expanded(inner, variables) for name, inner in value.items()}
    if isinstance(value, list):
        return [expanded(inner, variables) for inner in value]
    pattern = r"\$\{(\w+)(?::-([^}]*))?\}"
    return re.sub(pattern, lambda found: variables.get(found[1], found[2] or found[0]), value)


WAYS = (
    Way("v1.mjs", "/mcp", "2025-11-25"),
    Way("v1.mjs", "/sse", "2025-11-25"),
    Way("v2.mjs", "/mcp", "2026-07-28"),
    Way("v2.mjs", "/mcp", "2025-11-25", era="legacy"),
    Way("v2.mjs", "/sse", "2025-11-25", era="legacy"),
    Way("python.py", "/mcp", "2026-07-28"),
    Way("python.py", "/mcp", "2025-11-25", era="legacy"),
    Way("python.py", "/sse", "2025-11-25", era="legacy"),
    Way("v1.mjs", "/mcp", "2025-11-25", example="nudj-remote"),
    Way("v1.mjs", "/sse", "2025-11-25", example="nudj-remote"),
    Way("v2.mjs", "/mcp", "2026-07-28", example="nudj-remote"),
    Way("v1.mjs", "/mcp", "2025-11-25", example="nudj-local"),
    Way("v2.mjs", "/mcp", "2026-07-28", example="nudj-local"),
)
REFUSED: tuple[tuple[str, str, str, dict[str, Any], str], ...] = (
    ("admin", "globex", "list_challenges", {}, "organisation_mismatch"),
    ("viewer", "acme", "create_tag", {"name": "space"}, "role_denied"),
    ("expired", "acme", "list_challenges", {}, "token_expired"),
)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_client_lists_and_calls(world: Hosted, way: Way) -> None:
    with way.connect(world) as client:
        assert "thrown" not in client.hello, client.hello
        assert client.hello.get("version") == way.version
        assert "list_challenges" in client.tools()
        result = client.call("list_challenges", limit=1)
        assert result["structuredContent"]["ok"] is True
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_client_hears_the_whole_reason_of_a_refusal(world: Hosted, way: Way) -> None:
    for token, organisation, tool, arguments, code in REFUSED:
        with way.connect(world, token, organisation) as client:
            result = client.call(tool, **arguments)
        assert result.get("isError") is True, result
        error = result["structuredContent"]["error"]
        assert error["code"] == code
        assert error["hint"]
        assert json.loads(result["content"][0]["text"])["error"] == error


# Not stdio, whose server is the client's own child; nor the Python SDK over SSE, which never reopens a stream: there
# the application connects anew.
REOPENING = [way for way in WAYS if way.example != "nudj-local" and (way.driver, way.path) != ("python.py", "/sse")]


@pytest.mark.parametrize("way", REOPENING, ids=str)
def test_a_client_survives_a_restart_of_the_server(world: Hosted, way: Way) -> None:
    with way.connect(world) as client:
        assert client.call("check_connection")["structuredContent"]["ok"] is True
        world.restart()
        begun = time.monotonic()
        while True:
            result = client.call("check_connection")
            if result.get("structuredContent", {}).get("ok"):
                return
            assert time.monotonic() - begun < 20, result
            time.sleep(0.2)


def test_a_header_file_keeps_the_token_out_of_a_client_that_expands_nothing(world: Hosted, tmp_path: Path) -> None:
    file = tmp_path / "header"
    file.write_text(f"Authorization: Bearer {world.token('admin')}\n")
    target = Target("nudj", f"{world.origin}/mcp", world.domain(), header_file=str(file))
    document = build_document(find_client("claude-desktop"), target, "mcp-remote")
    with driven("v1.mjs", document["mcpServers"]["nudj"]) as client:
        assert client.call("check_connection")["structuredContent"]["ok"] is True


@pytest.mark.parametrize(("token", "code"), [("admin", 0), ("expired", 5)], ids=["good", "refused"])
@pytest.mark.parametrize("era", ["auto", "legacy"])
def test_the_inspector_tells_a_good_call_from_a_refused_one(
    world: Hosted, tmp_path: Path, token: str, code: int, era: str
) -> None:
    words = [str(NODE), str(INSPECTOR), "--cli", f"{world.origin}/mcp", "--transport", "http", "--protocol-era", era]
    for name, value in world.headers(token).items():
        words += ["--header", f"{name}: {value}"]
    words += ["--method", "tools/call", "--tool-name", "check_connection", "--format", "json"]
    done = subprocess.run(
        words, env=surroundings(str(tmp_path)), cwd=CLIENTS, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    assert ("token_expired" in done.stdout + done.stderr) == (code == 5)
