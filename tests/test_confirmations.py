"""Before something is destroyed a person is asked: by the client where it can, otherwise in two steps."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import mcp.types as t
import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from server.identity.principal import Grant, Principal, Role
from server.pipeline.confirmation import LIFETIME_S, Confirmation
from server.state.in_process import InProcess
from tests.speakers import Http, speaking
from tests.world import World
from tools.organisation.tokens import REVOKE
from tools.refusals import Code, ToolError
from tools.spec import ConfirmedInput


async def made(http: Http, world: World) -> str:
    """A challenge to delete."""
    said = {"community_id": world.organisations["acme"]["community_id"], "title": "Short-lived"}
    heard = await http.call("create_challenge", said, headers=world.headers("manager"))
    return str(heard.envelope["data"]["id"])


async def there(http: Http, world: World, id_: str) -> bool:
    return (await http.call("get_challenge", {"id": id_}, headers=world.headers("manager"))).code == "ok"


async def test_nothing_is_destroyed_without_the_second_step(world: World) -> None:
    async with speaking(world.origin) as http:
        id_ = await made(http, world)
        headers = world.headers("manager")
        first = await http.call("delete_challenge", {"id": id_}, headers=headers)
        assert first.code == "confirmation_required"
        assert await there(http, world, id_)
        confirm = first.envelope["error"]["confirm"]
        second = await http.call("delete_challenge", {"id": id_, "confirm": confirm}, headers=headers)
        assert second.envelope["data"] == {"id": id_, "deleted": True}
        assert not await there(http, world, id_)


async def test_a_confirm_value_fits_one_caller_one_tool_one_set_of_arguments_once(world: World) -> None:
    async with speaking(world.origin) as http:
        one, other = await made(http, world), await made(http, world)
        mine, theirs = world.headers("manager"), world.headers("admin")
        first = await http.call("delete_challenge", {"id": one}, headers=mine)
        confirm = first.envelope["error"]["confirm"]
        for said, headers in (({"id": other}, mine), ({"id": one}, theirs)):
            heard = await http.call("delete_challenge", {**said, "confirm": confirm}, headers=headers)
            assert heard.envelope["error"]["reason"] == "other_call"
        asked = [
            http.call("delete_challenge", {"id": one, "confirm": confirm}, headers=mine, id_=number)
            for number in range(5)
        ]
        codes = sorted([heard.code for heard in await asyncio.gather(*asked)])
        assert codes == ["confirmation_required"] * 4 + ["ok"]
        assert await there(http, world, other)


async def test_what_is_another_organisations_survives_a_delete_that_somebody_agreed_to(world: World) -> None:
    async with speaking(world.origin) as http:
        theirs = world.headers("admin", "globex")
        kinds = {"community": "communities"}
        for kind in ("challenge", "community", "action", "achievement", "reward", "post"):
            listed = await http.call(f"list_{kinds.get(kind, kind + 's')}", {"limit": 1}, headers=theirs)
            said = {"id": listed.envelope["data"]["items"][0]["id"]}
            asked = await http.call(f"delete_{kind}", said, headers=world.headers("super-admin"))
            agreed = said | {"confirm": asked.envelope["error"]["confirm"]}
            assert (await http.call(f"delete_{kind}", agreed, headers=world.headers("super-admin"))).code == "not_found"
            assert (await http.call(f"get_{kind}", said, headers=theirs)).code == "ok"


async def test_a_confirm_value_ends_after_five_minutes() -> None:
    now = 1_000_000.0
    confirmations = Confirmation(b"k" * 32, InProcess(), lambda: now)

    def given(**said: str) -> ConfirmedInput:
        read = REVOKE.takes.model_validate({"token_id": "x"} | said)
        assert isinstance(read, ConfirmedInput)
        return read

    who = Principal("s", "a" * 24, (Grant(Role.ADMIN),), 2_000_000, "t", "bearer", "d")
    with pytest.raises(ToolError) as asked:
        await confirmations.require(who, REVOKE, given())
    confirm = asked.value.confirm or ""
    now += LIFETIME_S + 1
    with pytest.raises(ToolError) as late:
        await confirmations.require(who, REVOKE, given(confirm=confirm))
    assert (late.value.code, late.value.reason) == (Code.CONFIRMATION_REQUIRED, "expired")


@asynccontextmanager
async def asking(world: World, over: str, agrees: bool, seen: list[str]) -> AsyncIterator[Client]:
    """A client whose person is shown each question and always answers the same."""

    async def answer(context: Any, params: Any) -> t.ElicitResult | t.ErrorData:
        seen.append(params.message)
        return t.ElicitResult(action="accept", content={"agree": agrees})

    headers = world.headers("manager")
    if over == "/mcp":
        async with (
            httpx2.AsyncClient(headers=headers, timeout=20) as http,
            Client(
                streamable_http_client(f"{world.origin}/mcp", http_client=http), elicitation_callback=answer
            ) as client,
        ):
            yield client
    elif over == "/sse":
        transport = sse_client(f"{world.origin}/sse", headers=headers)
        async with Client(transport, mode="legacy", elicitation_callback=answer) as client:
            yield client
    else:
        child = StdioServerParameters(
            command=sys.executable, args=["-m", "server", "stdio"], env=world.child_environment(headers)
        )
        async with Client(child, mode="legacy", elicitation_callback=answer) as client:
            yield client


@pytest.mark.parametrize("agrees", [True, False])
@pytest.mark.parametrize("over", ["/mcp", "/sse", "stdio"])
async def test_a_client_that_can_ask_is_used_to_ask(world: World, over: str, agrees: bool) -> None:
    seen: list[str] = []
    async with speaking(world.origin) as http:
        id_ = await made(http, world)
        async with asking(world, over, agrees, seen) as client:
            result = await client.call_tool("delete_challenge", {"id": id_})
        envelope = json.loads(json.dumps(result.structured_content))
        assert ["delete_challenge" in question for question in seen] == [True]
        assert envelope["ok"] is agrees
        assert await there(http, world, id_) is not agrees
        if not agrees:
            assert envelope["error"]["reason"] == "declined"
