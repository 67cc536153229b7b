"""Where two checks guard the same thing, each is shown to hold when the other cannot."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.raw_clients import LEGACY, MODERN, Http, speaking
from tests.support.scripted_servers import Site, reply, site
from tests.support.shared_stack import World, beside

FOREIGN = "c" * 24


def entity(world: World, **members: Any) -> bytes:
    """A challenge of acme, as its API would write it, for a tenant that answers everybody alike."""
    said = {"id": "d" * 24, "organisationId": world.organisations["acme"]["id"], "details": {"title": "Secret plan"}}
    return reply(json.dumps(said | members).encode(), "content-type: application/json")


@asynccontextmanager
async def careless(world: World) -> AsyncIterator[tuple[Http, Site]]:
    """A server whose tenant shows a challenge of another community to everybody."""
    async with site(entity(world, communityId=FOREIGN)) as tenant:
        reached = {"acme": f"127.0.0.1:{tenant.port}"}
        async with beside(world, connect_to=reached) as origin, speaking(origin) as http:
            yield http, tenant


async def test_a_token_of_another_organisation_is_shown_one_tool_before_any_tenant_is_asked(world: World) -> None:
    astray = world.headers("manager") | {"x-api-domain": world.domain("globex")}
    async with speaking(world.origin) as http:
        for version in (MODERN, LEGACY):
            listed = await http.ask("tools/list", headers=astray, version=version)
            assert [tool["name"] for tool in listed.message["result"]["tools"]] == ["check_connection"]


async def test_a_tenant_that_narrows_nothing_shows_a_bound_caller_nothing_foreign(world: World) -> None:
    async with careless(world) as (http, _):
        everywhere = await http.call("get_challenge", {"id": "d" * 24}, headers=world.headers("manager"))
        assert everywhere.code == "ok"
        bound = await http.call("get_challenge", {"id": "d" * 24}, headers=world.headers("community"))
        assert bound.code == "not_found"
        assert b"Secret plan" not in bound.raw


async def test_a_tenant_that_lets_everything_pass_changes_nothing_foreign_for_a_bound_caller(world: World) -> None:
    async with careless(world) as (http, tenant):
        said = {"id": "d" * 24, "title": "Mine now"}
        bound = await http.call("update_challenge", said, headers=world.headers("community"))
        assert bound.code == "not_found"
        assert [head.split()[0] for head in tenant.heads] == ["GET"]
