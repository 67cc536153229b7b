"""One conversation, word for word the same over every way in."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.types import TextContent

from tests.support.sdk_clients import OVER, Over, connected
from tests.support.shared_stack import World


async def say(client: Client, tool: str, **arguments: Any) -> Mapping[str, Any]:
    """The envelope of one call, which both halves of the answer must carry."""
    result = await client.call_tool(tool, arguments)
    text = result.content[0]
    assert isinstance(text, TextContent)
    envelope: dict[str, Any] = json.loads(text.text)
    assert result.structured_content == envelope
    assert result.is_error is not envelope["ok"]
    return envelope


async def data(client: Client, tool: str, **arguments: Any) -> Any:
    """The data of a call that must succeed."""
    envelope = await say(client, tool, **arguments)
    assert envelope["ok"], envelope
    return envelope["data"]


async def error(client: Client, tool: str, **arguments: Any) -> Any:
    """The error of a call that must be refused."""
    envelope = await say(client, tool, **arguments)
    assert not envelope["ok"], envelope
    return envelope["error"]


@pytest.mark.parametrize("over", OVER)
async def test_the_same_conversation_everywhere(world: World, over: Over) -> None:
    async with connected(world, world.headers("manager"), over) as client:
        await _introduces_itself(world, client)
        await _reads(world, client)
        await _writes(world, client)
        await _refuses(client)


async def _introduces_itself(world: World, client: Client) -> None:
    who = await data(client, "check_connection")
    assert who["organisation"] == world.organisations["acme"]["id"]
    assert who["api_domain"] == world.domain("acme")
    assert who["roles"] == ["manager"]
    shown = [tool.name for tool in (await client.list_tools()).tools]
    assert {"check_connection", "list_challenges", "create_challenge"} <= set(shown)
    assert shown == [tool.name for tool in (await client.list_tools()).tools]


async def _reads(world: World, client: Client) -> None:
    first = await data(client, "list_challenges", limit=5)
    second = await data(client, "list_challenges", limit=5, cursor=first["next_cursor"])
    assert len(first["items"]) == len(second["items"]) == 5
    assert first["total_count"] == second["total_count"] >= 30
    assert not {one["id"] for one in first["items"]} & {one["id"] for one in second["items"]}
    for item in first["items"]:
        assert {"id", "title", "status", "community_id"} <= item.keys()
    one = await data(client, "get_challenge", id=first["items"][0]["id"])
    assert one["title"] == first["items"][0]["title"]


async def _writes(world: World, client: Client) -> None:
    community = world.organisations["acme"]["community_id"]
    question = {"key": "question-multiple-choice", "title": "First?", "options": ["A", "B"], "correct": ["A"]}
    made = await data(
        client,
        "create_challenge",
        community_id=community,
        title="Said everywhere",
        points=50,
        status="live",
        actions=[question],
    )
    assert made["status"] == "live"
    assert len(made["action_ids"]) == 1
    changed = await data(client, "update_challenge", id=made["id"], title="Said again")
    assert changed["title"] == "Said again"
    asked = await error(client, "delete_challenge", id=made["id"])
    assert (asked["code"], asked["status"]) == ("confirmation_required", 409)
    gone = await data(client, "delete_challenge", id=made["id"], confirm=asked["confirm"])
    assert gone == {"id": made["id"], "deleted": True}
    assert (await error(client, "get_challenge", id=made["id"]))["code"] == "not_found"


async def _refuses(client: Client) -> None:
    denied = await error(client, "revoke_token", token_id="0" * 24)
    assert denied["code"] == "role_denied"
    assert denied["required"] == ["can-delete:subject-Token"]
    assert denied["held"] == ["manager"]
    assert "admin" in denied["hint"]
    wrong = await error(client, "get_challenge", ident="x")
    assert wrong["code"] == "arguments_invalid"
    assert {field["pointer"] for field in wrong["fields"]} == {"/id", "/ident"}
    with pytest.raises(MCPError) as unknown:
        await client.call_tool("drop_everything", {})
    assert unknown.value.code == -32602


@pytest.mark.parametrize("over", OVER)
async def test_planner_mode_reads_and_changes_nothing(world: World, over: Over) -> None:
    async with connected(world, world.headers("manager", x_agent_mode="planner"), over) as client:
        assert (await data(client, "list_challenges", limit=1))["items"]
        assert (await error(client, "update_challenge", id="0" * 24))["code"] == "mode_denied"
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in (await client.list_tools()).tools)


@pytest.mark.parametrize("over", OVER)
async def test_another_organisations_token_is_refused_by_name(world: World, over: Over) -> None:
    headers = world.headers("manager") | {"x-api-domain": world.domain("globex")}
    async with connected(world, headers, over) as client:
        refused = await error(client, "list_challenges")
        assert (refused["code"], refused["status"]) == ("organisation_mismatch", 403)
        assert refused["organisation"] == world.organisations["acme"]["id"]


@pytest.mark.parametrize("over", OVER)
async def test_bad_credentials_see_one_tool_that_says_what_is_wrong(world: World, over: Over) -> None:
    async with connected(world, world.headers("expired"), over) as client:
        shown = await client.list_tools()
        assert [tool.name for tool in shown.tools] == ["check_connection"]
        said = await error(client, "check_connection")
        assert (said["code"], said["status"]) == ("token_expired", 401)
        assert "admin panel" in said["hint"]
