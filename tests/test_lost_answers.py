"""Whatever becomes of a write on its way: an agent that does what it is told ends with as many things as it wanted."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.faulty_road import FAULTS, Road, road
from tests.support.obedient_agent import Agent
from tests.support.raw_clients import Http, speaking
from tests.support.sandbox_tenant_api import TOOLS
from tests.support.shared_stack import Kept, World, beside
from tools.api.recognition import CREATIONS

ACTION = {"key": "question-open-ended"}


@dataclass
class Stage:
    """A server whose road to the tenant can fail, and the world's own, whose road is whole."""

    world: World
    http: Http
    whole: Http
    road: Road
    audit: Kept

    async def call(self, tool: str, said: dict[str, Any]) -> dict[str, Any]:
        heard = await self.http.call(tool, said, headers=self.world.headers())
        return heard.envelope

    async def see(self, tool: str, **said: Any) -> dict[str, Any]:
        heard = await self.whole.call(tool, said, headers=self.world.headers())
        data: dict[str, Any] = heard.envelope["data"]
        return data

    async def find(self, tool: str, by: str, value: str) -> list[dict[str, Any]]:
        """All that the tenant has with this value, whichever page it is on."""
        shown = await self.see(tool, limit=100) if tool != "get_domains" else await self.see(tool)
        items = shown.get("items") or shown.get("domains") or []
        return [item for item in items if item.get(by) == value]


@pytest.fixture(name="stage")
async def _stage(world: World) -> AsyncIterator[Stage]:
    tenant = int(world.local.sandbox.issuer.rpartition(":")[2])
    audit = Kept()
    async with (
        road(tenant) as way,
        beside(world, connect_to={"acme": f"127.0.0.1:{way.port}"}, upstream_timeout_s=1.0, audit=audit) as origin,
        speaking(origin) as http,
        speaking(world.origin) as whole,
    ):
        yield Stage(world, http, whole, way, audit)


def chain(stage: Stage, tool: str, title: str) -> dict[str, Any]:
    """Arguments that make a chain of several writes."""
    community = stage.world.organisations["acme"]["community_id"]
    said: dict[str, Any] = {"community_id": community, "title": title, "status": "live"}
    match tool:
        case "create_challenge":
            return said | {"points": 5, "actions": [ACTION | {"title": f"Q{number}"} for number in range(3)]}
        case "create_achievement":
            return said | {"points": 5, "event": "challenge-completion", "target": 3}
        case _:
            tiers = [{"name": name, "target": target, "points": 5} for target, name in enumerate(("One", "Two"), 1)]
            return said | {"event": "challenge-completion", "tiers": tiers}


CHAINS = {"create_challenge": 6, "create_achievement": 3, "create_achievement_series": 6}
"""The tools that write several times, and how often in these tests."""

CASES = [(tool, nth, fault) for tool, total in CHAINS.items() for nth in range(1, total + 1) for fault in FAULTS]


@pytest.mark.parametrize("again", [False, True], ids=["told at once", "told to who asks again"])
@pytest.mark.parametrize(("tool", "nth", "fault"), CASES, ids=[f"{tool} {n} {fault}" for tool, n, fault in CASES])
async def test_obeying_what_a_broken_chain_says_makes_all_of_it_once(
    stage: Stage, tool: str, nth: int, fault: str, again: bool
) -> None:
    title = f"{tool} {nth} {fault} {again}"
    said = chain(stage, tool, title) | {"request_key": f"lost-{secrets.token_hex(8)}"}
    stage.road.break_at(nth, fault)
    envelope = await stage.call(tool, said)
    stage.road.break_at(0, "")
    if again:
        envelope = await stage.call(tool, said)
    while not envelope["ok"] and envelope["error"]["retryable"]:
        envelope = await stage.call(tool, said)
    if not envelope["ok"]:
        assert envelope["error"]["code"] == "partially_completed", envelope
        await Agent(stage.call).follow(envelope["error"]["partial"]["finish"])
    await everything_once(stage, tool, title)


async def everything_once(stage: Stage, tool: str, title: str) -> None:
    if tool == "create_challenge":
        (made,) = await stage.find("list_challenges", "title", title)
        assert (made["status"], made["points"], made["number_of_actions"]) == ("live", 5, 3)
        return
    titles = [title] if tool == "create_achievement" else [f"{title}: One", f"{title}: Two"]
    for each in titles:
        (found,) = await stage.find("list_achievements", "title", each)
        seen = await stage.see("get_achievement", id=found["id"])
        assert (seen["status"], seen["points"]) == ("live", 5)


SINGLE: dict[str, dict[str, Any]] = {
    "create_tag": {},
    "create_post": {"community_id": "", "content": "Words"},
}
"""Some tools that write once, and what they need besides the member that their things are told by."""


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("tool", SINGLE)
async def test_obeying_the_hint_of_a_single_write_makes_one(stage: Stage, tool: str, fault: str) -> None:
    look = next(CREATIONS[operation] for operation in TOOLS[tool].operations if operation in CREATIONS)
    value = f"Lost {fault} {tool}"
    said: dict[str, Any] = SINGLE[tool] | {look.by: value}
    if "community_id" in said:
        said["community_id"] = stage.world.organisations["acme"]["community_id"]
    stage.road.break_at(1, fault)
    envelope = await stage.call(tool, said | {"request_key": f"lost-{secrets.token_hex(8)}"})
    stage.road.break_at(0, "")
    if not envelope["ok"]:
        hint = envelope["error"]["hint"]
        assert look.tool in hint
        if "It was made" not in hint and not await stage.find(look.tool, look.by, value):
            assert (await stage.call(tool, said))["ok"]
    assert len(await stage.find(look.tool, look.by, value)) == 1
