"""A model knows where it stands: what connecting and listing say of this very connection."""

import json
from typing import Any

import httpx2
import pytest

from tests.support.raw_clients import LEGACY
from tests.support.shared_stack import World

HELLO = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}


async def ask(world: World, headers: dict[str, str], method: str, params: dict[str, Any]) -> dict[str, Any]:
    """The result of one request without a session."""
    usual = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    said = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    async with httpx2.AsyncClient() as http:
        answer = await http.post(f"{world.origin}/mcp", json=said, headers=usual | headers)
    (data,) = (line[6:] for line in answer.text.splitlines() if line.startswith("data: {"))
    result: dict[str, Any] = json.loads(data)["result"]
    return result


async def test_who_connects_hears_who_it_is_and_what_is_not_listed(world: World) -> None:
    headers = world.headers("viewer") | {"x-agent-mode": "planner"}
    await ask(world, headers, "tools/call", {"name": "check_connection", "arguments": {}})  # by now the name is learnt
    said = (await ask(world, headers, "initialize", HELLO))["instructions"]
    for words in ("viewer", "planner mode", 'organisation "Acme', "x-toolsets: all"):
        assert words in said
    whole = (await ask(world, world.headers("admin") | {"x-toolsets": "all"}, "initialize", HELLO))["instructions"]
    assert "Not listed" not in whole


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer x.y.z", "x-api-domain": "https://acme.nudj.cx/api/v2/admin"}],
    ids=["nothing", "no token"],
)
async def test_who_cannot_be_admitted_hears_what_is_wrong_and_what_to_do(world: World, headers: dict[str, str]) -> None:
    said = (await ask(world, headers, "initialize", HELLO))["instructions"]
    assert "does not work" in said
    assert "Acme" not in said
    (only,) = (await ask(world, headers, "tools/list", {}))["tools"]
    assert only["name"] == "check_connection"
    assert " Now: " in only["description"]
    assert only["description"].partition(" Now: ")[2] in said


async def test_a_token_of_another_organisation_hears_nothing_of_the_one_it_named(world: World) -> None:
    headers = world.headers("manager") | {"x-api-domain": world.domain("globex")}
    said = (await ask(world, headers, "initialize", HELLO))["instructions"]
    assert "another organisation" in said
    assert "Globex" not in said


async def test_the_server_says_how_it_looks_once_and_not_in_every_answer(world: World) -> None:
    info = (await ask(world, world.headers("viewer"), "initialize", HELLO))["serverInfo"]
    assert info["title"]
    assert info["icons"][0]["src"].startswith("data:image/svg+xml;base64,")
