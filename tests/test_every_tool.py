"""Every tool over real HTTP, three times: called rightly, called wrongly, and called by somebody who may not."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings

from server.serving.listener import bind, listen, read_port
from tests.support.argument_strategies import SOME, slips
from tests.support.expected_permissions import entitled
from tests.support.leaky_answers import Planting
from tests.support.raw_clients import Heard, Http, speaking
from tests.support.shared_stack import World, beside, running
from tools import CATALOGUE
from tools.spec import ConfirmedInput, Effect, Tool

EVERY = pytest.mark.parametrize("tool", CATALOGUE, ids=lambda tool: tool.name)
START, END = "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"

Known = Mapping[str, str]
"""An id of each kind of thing, from the list tools."""


@pytest.fixture(scope="module")
def own() -> Iterator[World]:
    """A world of this module's own, since its calls change and delete."""
    with running() as world:
        yield world


@dataclass(frozen=True, slots=True)
class Talkative:
    """A server whose acme says too much, and what acme must not have said to anybody."""

    origin: str
    tenant: Planting
    secrets: tuple[str, ...]


@pytest.fixture(scope="module")
def talkative(own: World) -> Iterator[Talkative]:
    """One for the whole module."""
    secrets = {
        "internalSecret": "planted-hunter2",
        "passwordHash": "$argon2id$planted",
        "parentOrganisationId": str(own.organisations["globex"]["id"]),
    }
    tenant, port = Planting(own.local.sandbox.app, secrets), bind("127.0.0.1", 0)
    there = {"acme": f"127.0.0.1:{read_port(port)}"}
    with (
        own.portal.wrap_async_context_manager(listen(tenant, port)),
        own.portal.wrap_async_context_manager(beside(own, connect_to=there)) as origin,
    ):
        yield Talkative(origin, tenant, (*secrets, *secrets.values()))


@pytest.fixture(scope="module")
def seeded(own: World) -> dict[str, str]:
    """Ids of things that were there from the start."""

    async def read() -> dict[str, str]:
        async with speaking(own.origin) as http:
            return await Speaker(own, http).known(own)

    return asyncio.run(read())


class Speaker:
    """Calls tools as one role; what is destroyed is confirmed as a person would."""

    def __init__(self, world: World, http: Http) -> None:
        self._world = world
        self._http = http

    async def call(self, name: str, arguments: Mapping[str, Any], token: str = "admin") -> Heard:
        return await self._http.call(name, arguments, headers=self._world.headers(token))

    async def done(self, tool: Tool, arguments: Mapping[str, Any]) -> Heard:
        heard = await self.call(tool.name, arguments)
        if issubclass(tool.takes, ConfirmedInput):
            assert heard.code == "confirmation_required"
            confirm = heard.envelope["error"]["confirm"]
            heard = await self.call(tool.name, {**arguments, "confirm": confirm})
        return heard

    async def ids(self, name: str, arguments: Mapping[str, Any] | None = None) -> list[str]:
        heard = await self.call(name, {"limit": 100, **(arguments or {})})
        return [str(item["id"]) for item in heard.envelope["data"]["items"]]

    async def known(self, world: World) -> dict[str, str]:
        """An id to use of each kind, and one to destroy where there are several."""
        kinds = {
            "challenge": "list_challenges",
            "group": "list_challenge_groups",
            "achievement": "list_achievements",
            "reward": "list_rewards",
            "leaderboard": "list_leaderboards",
            "post": "list_posts",
            "tag": "list_tags",
            "campaign": "list_campaigns",
            "game": "list_games",
            "user": "list_users",
        }
        found = {"community": str(world.organisations["acme"]["community_id"]), "giveaway": "", "token": ""}
        for kind, name in kinds.items():
            ids = await self.ids(name)
            found |= {kind: ids[0], f"doomed {kind}": ids[-1]}
        actions = await self.ids("list_actions", {"owner_id": found["challenge"]})
        found |= {"action": actions[0], "doomed action": actions[-1]}
        found["doomed community"] = next(one for one in await self.ids("list_communities") if one != found["community"])
        return found


def _create(known: Known, name: str) -> dict[str, Any]:
    """Arguments of the creating tools."""
    community = {"community_id": known["community"]}
    tiers = [{"name": "Bronze", "target": 1, "points": 5}, {"name": "Gold", "target": 9, "points": 50}]
    told: dict[str, dict[str, Any]] = {
        "create_community": {"name": "New", "slug": "a-new-one"},
        "create_challenge": community | {"title": "New", "points": 5, "status": "live"},
        "create_challenge_group": community | {"title": "New", "challenge_ids": [known["challenge"]]},
        "create_action": community
        | {
            "owner_type": "challenge",
            "owner_id": known["challenge"],
            "action": {"key": "question-open-ended", "title": "Why?"},
        },
        "create_achievement": community | {"title": "New", "event": "challenge-completion", "target": 3},
        "create_achievement_series": community | {"title": "New", "event": "challenge-completion", "tiers": tiers},
        "create_reward": community | {"title": "New", "assets_supply": 5},
        "give_rewards": community | {"user_ids": [known["user"]], "points": 5},
        "create_leaderboard": community | {"name": "New", "metric_type": "total-xp", "starts_at": START},
        "create_post": community | {"title": "New", "content": "<p>New</p>"},
        "create_tag": {"value": "Brand new"},
        "create_user": {"email": "new@example.com", "username": "newcomer"},
        "create_campaign": {"name": "New", "start_date": START, "end_date": END},
        "create_game": {"title": "New", "game_type": "memory", "config": {}},
        "add_domain": {"domain": "play.example.com"},
    }
    return told[name]


def _other(known: Known, name: str) -> dict[str, Any]:
    """Arguments of the tools that neither create nor follow the common forms."""
    told: dict[str, dict[str, Any]] = {
        "get_distribution": {"owner_type": "challenge", "owner_id": known["challenge"]},
        "set_distribution": {"owner_type": "challenge", "owner_id": known["challenge"], "prizes": [{"points": 7}]},
        "close_giveaway": {"id": known["giveaway"], "winners": [{"user_id": known["user"], "quantity": 1}]},
        "get_user_analytics": {"user_id": known["user"]},
        "report_community": {"community_id": known["community"]},
        "list_templates": {"kind": "challenges"},
        "update_theme": {"border_radius": "1rem"},
        "update_organisation": {"timezone": "Europe/Berlin"},
        "invite_team": {"emails": ["colleague@example.com"]},
        "remove_domain": {"domain": "old.example.com"},
        "set_webhooks": {"configs": [{"url": "https://hooks.example.com/a", "events": ["challenge-completion"]}]},
        "revoke_token": {"token_id": known["token"]},
    }
    return told.get(name, {})


KINDS = {"challenge_group": "group"}


def arguments(tool: Tool, known: Known) -> dict[str, Any]:
    """Arguments that the tenant must accept."""
    verb, _, noun = tool.name.partition("_")
    if verb in ("create", "give", "add"):
        return _create(known, tool.name)
    special = _other(known, tool.name)
    if special or verb in ("list", "report", "check") or "id" not in tool.takes.model_fields:
        return special
    kind = KINDS.get(noun, noun)
    said: dict[str, Any] = {"id": known[kind if tool.effect is not Effect.DESTROY else f"doomed {kind}"]}
    if verb == "update":
        named = next(n for n in ("title", "name", "value") if n in tool.takes.model_fields)
        said[named] = "Changed"
    return said


async def made(speaker: Speaker, tool: Tool, known: dict[str, str], world: World) -> None:
    """Bring about what a destroying tool, or one for a rare state, is about to be tried on."""
    community = {"community_id": known["community"]}
    if tool.name == "close_giveaway":
        reward = {"title": "Draw", "assets_supply": 5, "is_manual_giveaway": True, "status": "live"}
        heard = await speaker.call("create_reward", community | reward | {"allocation_supply": 5})
        known["giveaway"] = heard.envelope["data"]["id"]
    if tool.name == "revoke_token":
        known["token"] = "f" * 24
        world.mint("acme", token_id=known["token"])
    if tool.name == "remove_domain":
        await speaker.call("add_domain", {"domain": "old.example.com"})


@EVERY
async def test_called_rightly_it_answers_and_keeps_what_it_was_not_asked_for(
    own: World, talkative: Talkative, seeded: Mapping[str, str], tool: Tool
) -> None:
    known = dict(seeded)
    async with speaking(talkative.origin) as http:
        speaker = Speaker(own, http)
        await made(speaker, tool, known, own)
        said = arguments(tool, known)
        if tool.name == "reorder_actions":
            ids = await speaker.ids("list_actions", {"owner_id": known["challenge"]})
            said = {"owner_id": known["challenge"], "action_ids": ids[::-1]}
        before = talkative.tenant.requests
        heard = await speaker.done(tool, said)
        assert heard.code == "ok", heard.envelope
        assert [secret for secret in talkative.secrets if secret.encode() in heard.raw] == []
        assert talkative.tenant.requests > before or not tool.operations


@EVERY
async def test_called_wrongly_it_names_the_field_and_asks_the_tenant_nothing(
    own: World, talkative: Talkative, tool: Tool
) -> None:
    async with speaking(talkative.origin) as http:
        before = talkative.tenant.requests
        heard = await http.call(tool.name, {"surprise": 1}, headers=own.headers("admin"))
    error = heard.envelope["error"]
    assert error["code"] == "arguments_invalid"
    pointers = {field["pointer"] for field in error["fields"]}
    required = {f"/{name}" for name, field in tool.takes.model_fields.items() if field.is_required()}
    assert pointers >= required | {"/surprise"}
    assert talkative.tenant.requests == before


@EVERY
async def test_whatever_one_argument_is_wrong_that_one_is_named_and_the_tenant_asked_nothing(
    own: World, talkative: Talkative, tool: Tool
) -> None:
    drawn: list[tuple[str, dict[str, Any]]] = []

    @settings(SOME, max_examples=25)
    @given(slips(tool))
    def draw(slip: tuple[str, dict[str, Any]]) -> None:
        drawn.append(slip)

    draw()
    before = talkative.tenant.requests
    async with speaking(talkative.origin) as http:
        for name, said in drawn:
            error = (await http.call(tool.name, said, headers=own.headers("admin"))).envelope.get("error", {})
            assert error.get("code") == "arguments_invalid", said
            assert any(f"{field['pointer']}/".startswith(f"/{name}/") for field in error["fields"]), (name, error)
    assert talkative.tenant.requests == before


@EVERY
async def test_called_by_somebody_who_may_not_it_says_what_is_needed_and_asks_the_tenant_nothing(
    own: World, talkative: Talkative, tool: Tool
) -> None:
    if not tool.permissions:
        return  # everybody may ask who they are
    role = next((each for each in ("viewer", "manager") if entitled(tool.name, each, False, "builder")), None)
    headers = own.headers("admin") | {
        "authorization": f"Bearer {own.mint('acme', role=role or 'nobody')}",
    }
    before = talkative.tenant.requests
    async with speaking(talkative.origin) as http:
        error = (await http.call(tool.name, {}, headers=headers)).envelope["error"]
    assert error["code"] == "role_denied"
    assert set(error["required"]) <= {str(one) for one in tool.permissions}
    assert error["held"] == ([role] if role else [])
    assert any(word in error["hint"] for word in ("viewer", "moderator", "manager", "admin"))
    assert talkative.tenant.requests == before
