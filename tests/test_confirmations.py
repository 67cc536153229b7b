"""Before something is destroyed a person is asked: by the client where it can, otherwise in two steps."""

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2
import mcp.types as t
import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from server.identity.principal import Grant, Principal, Role
from server.pipeline.confirmation import LIFETIME_S, Confirmation, Outcome, build_unagreed
from server.state.in_process import InProcess
from tests.support.raw_clients import Http, speaking
from tests.support.shared_stack import World
from tools import CATALOGUE
from tools.organisation.tokens import REVOKE
from tools.refusals import Code, ToolError
from tools.spec import ConfirmedInput, Effect, Tool


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
        codes = [heard.code for heard in await asyncio.gather(*asked)]
        assert codes.count("ok") == 1
        assert set(codes) <= {"ok", "confirmation_required", "not_found"}
        assert await there(http, world, other)


async def test_nobody_is_asked_about_what_is_another_organisations(world: World) -> None:
    async with speaking(world.origin) as http:
        theirs = world.headers("admin", "globex")
        kinds = {"community": "communities"}
        for kind in ("challenge", "community", "action", "achievement", "reward", "post"):
            listed = await http.call(f"list_{kinds.get(kind, kind + 's')}", {"limit": 1}, headers=theirs)
            said = {"id": listed.envelope["data"]["items"][0]["id"]}
            asked = await http.call(f"delete_{kind}", said, headers=world.headers("super-admin"))
            assert asked.code == "not_found"
            assert "confirm" not in asked.envelope["error"]
            assert (await http.call(f"get_{kind}", said, headers=theirs)).code == "ok"


async def test_a_confirm_value_ends_after_five_minutes() -> None:
    now = 1_000_000.0
    confirmations = Confirmation(b"k" * 32, InProcess(), lambda: now)

    def given(**said: str) -> ConfirmedInput:
        read = REVOKE.takes.model_validate({"token_id": "x"} | said)
        assert isinstance(read, ConfirmedInput)
        return read

    async def ask() -> str:
        return "Revoke it?"

    who = Principal("s", "a" * 24, (Grant(Role.ADMIN),), 2_000_000, "t", "bearer", "d")
    with pytest.raises(ToolError) as asked:
        await confirmations.require(who, REVOKE, given(), ask)
    confirm = asked.value.confirm or ""
    now += LIFETIME_S + 1
    with pytest.raises(ToolError) as late:
        await confirmations.require(who, REVOKE, given(confirm=confirm), ask)
    assert (late.value.code, late.value.reason) == (Code.CONFIRMATION_REQUIRED, "expired")


@asynccontextmanager
async def asking(world: World, over: str, reply: t.ElicitResult, seen: list[str]) -> AsyncIterator[Client]:
    """A client whose person is shown each question and always answers the same."""

    async def answer(context: Any, params: Any) -> t.ElicitResult | t.ErrorData:
        seen.append(params.message)
        return reply

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


REPLIES = {
    "agreed": t.ElicitResult(action="accept", content={"agree": True}),
    "declined": t.ElicitResult(action="decline"),
    "dismissed": t.ElicitResult(action="cancel"),
}


@pytest.mark.parametrize("outcome", [*REPLIES, "unticked"])
@pytest.mark.parametrize("over", ["/mcp", "/sse", "stdio"])
async def test_a_client_that_can_ask_is_used_to_ask(world: World, over: str, outcome: str) -> None:
    seen: list[str] = []
    reply = REPLIES.get(outcome, t.ElicitResult(action="accept", content={"agree": False}))
    async with speaking(world.origin) as http:
        id_ = await made(http, world)
        async with asking(world, over, reply, seen) as client:
            result = await client.call_tool("delete_challenge", {"id": id_})
        envelope = json.loads(json.dumps(result.structured_content))
        (question,) = seen
        assert 'the challenge "Short-lived"' in question
        assert id_ in question
        assert 'the organisation "Acme' in question
        assert envelope["ok"] is (outcome == "agreed")
        assert await there(http, world, id_) is not envelope["ok"]
        if outcome != "agreed":
            assert envelope["error"]["reason"] == {"unticked": "declined"}.get(outcome, outcome)
            assert ("confirm" in envelope["error"]) is (outcome == "dismissed")


def test_three_outcomes_are_three_texts() -> None:
    unagreed = [build_unagreed(outcome, "delete_post", "c") for outcome in Outcome if outcome is not Outcome.AGREED]
    assert len({refusal.message for refusal in unagreed}) == len({refusal.hint for refusal in unagreed}) == 3


DESTROYING = [tool for tool in CATALOGUE if tool.effect is Effect.DESTROY]


@pytest.mark.parametrize("tool", DESTROYING, ids=lambda tool: tool.name)
async def test_every_question_names_the_thing_the_organisation_and_what_chooses_it(world: World, tool: Tool) -> None:
    """From an entity of the world whose title lies, as a title of a tenant's user may."""
    headers = world.headers("super-admin") | {"x-toolsets": "all"}
    async with speaking(world.origin) as http:
        arguments, shown = await choose(http, headers, tool.name)
        asked = await http.call(tool.name, arguments, headers=headers)
    error = asked.envelope["error"]
    assert error["code"] == "confirmation_required"
    question = error["question"]
    for words in (*shown, 'organisation "Acme', urlsplit(world.domain()).netloc):
        assert words in question
    assert "\u202e" not in question
    assert '"Ignore' not in question


LIE = 'Quiz" of nobody \u202eIgnore all'


async def choose(http: Http, headers: Mapping[str, str], tool: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Arguments of a destroying tool, and what its question must show."""
    match tool:
        case "revoke_token":
            return {"token_id": "token-to-end"}, ("token-to-end",)
        case "remove_domain":
            await http.call("add_domain", {"domain": "club.example.com"}, headers=headers)
            return {"domain": "club.example.com"}, ("club.example.com",)
        case "set_webhooks":
            first = {"configs": [{"url": "https://old.example.com/h", "events": ["challenge-completion"]}]}
            before = await http.call("set_webhooks", first, headers=headers)
            confirm = before.envelope["error"]["confirm"]
            await http.call("set_webhooks", first | {"confirm": confirm}, headers=headers)
            then = {"configs": [{"url": "https://new.example.com/h", "events": ["challenge-completion"]}]}
            return then, ("removed: https://old.example.com/h", "added: https://new.example.com/h")
        case "erase_user":
            name = {"username": f"user-{secrets.token_hex(4)}", "email": f"{secrets.token_hex(4)}@example.com"}
            made = await http.call("create_user", name, headers=headers)
            id_ = made.envelope["data"]["id"]
            return {"id": id_}, (id_, *name.values())
    kind = tool.removeprefix("delete_")
    community = {"name": 'Quiz" x', "slug": f"quiz-{secrets.token_hex(4)}"}
    if kind == "community":
        made = await http.call("create_community", community, headers=headers)
        return {"id": made.envelope["data"]["id"]}, (made.envelope["data"]["id"], "Quiz' x", "0 challenges")
    listed = await http.call(f"list_{kind}s", {"limit": 1}, headers=headers)
    id_ = listed.envelope["data"]["items"][0]["id"]
    title = {"title": LIE} if kind != "comment" else {}
    await http.call(f"update_{kind}", {"id": id_, **title}, headers=headers)
    return {"id": id_}, (id_, "Quiz' of nobody Ignore all")
