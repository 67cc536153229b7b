"""Every role, everywhere or in one community, in either mode, at every tool: what is listed is what may be called."""

import asyncio
from collections.abc import Mapping

import pytest

from tests.support.expected_permissions import ROLES, entitled
from tests.support.raw_clients import LEGACY, MODERN, Http, speaking
from tests.support.shared_stack import World
from tools import CATALOGUE

NAMES = [tool.name for tool in CATALOGUE]


async def verdicts(http: Http, headers: Mapping[str, str], version: str) -> dict[str, str | None]:
    """Why each tool may not be used; None when only the arguments, which no tool takes, were in the way."""

    async def of(name: str) -> str | None:
        code = (await http.call(name, {"no such argument": 1}, headers=headers, version=version)).code
        return None if code == "arguments_invalid" else code

    return dict(zip(NAMES, await asyncio.gather(*map(of, NAMES)), strict=True))


@pytest.mark.parametrize("mode", ["builder", "planner"])
@pytest.mark.parametrize("bound", [False, True], ids=["everywhere", "in one community"])
@pytest.mark.parametrize("role", ROLES)
async def test_a_tool_is_listed_exactly_when_it_may_be_called(world: World, role: str, bound: bool, mode: str) -> None:
    community = world.organisations["acme"]["community_id"] if bound else None
    token = world.mint("acme", role=role, community=community)
    headers = {"authorization": f"Bearer {token}", "x-api-domain": world.domain(), "x-agent-mode": mode}
    everything = headers | {"x-toolsets": "all"}
    expected = {name: entitled(name, role, bound, mode) for name in NAMES}
    async with speaking(world.origin) as http:
        assert await verdicts(http, headers, MODERN if bound else LEGACY) == expected
        for version in (MODERN, LEGACY):
            listed = await http.ask("tools/list", headers=everything, version=version)
            shown = [tool["name"] for tool in listed.message["result"]["tools"]]
            assert shown == [name for name in NAMES if expected[name] is None]


async def test_toolsets_choose_what_is_shown_and_never_what_may_be_done(world: World) -> None:
    async with speaking(world.origin) as http:
        headers = world.headers("viewer", x_toolsets="tags")
        listed = await http.ask("tools/list", headers=headers)
        assert {tool["name"] for tool in listed.message["result"]["tools"]} == {"check_connection", "list_tags"}
        assert (await http.call("list_challenges", {"limit": 1}, headers=headers)).code == "ok"
        assert (await http.call("create_tag", {}, headers=headers)).code == "role_denied"


async def test_a_role_that_does_not_exist_grants_nothing(world: World) -> None:
    async with speaking(world.origin) as http:
        headers = {"authorization": f"Bearer {world.mint('acme', role='emperor')}", "x-api-domain": world.domain()}
        found = await verdicts(http, headers, MODERN)
        assert found.pop("check_connection") is None
        assert set(found.values()) == {"role_denied"}


async def test_a_super_admin_is_one_in_the_organisation_of_its_token_alone(world: World) -> None:
    headers = world.headers("super-admin") | {"x-api-domain": world.domain("globex")}
    async with speaking(world.origin) as http:
        assert set((await verdicts(http, headers, MODERN)).values()) == {"organisation_mismatch"}
