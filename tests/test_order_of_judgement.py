"""Whatever is wrong with a call at once, the first wrong thing in the documented order is the answer."""

from collections.abc import Iterator
from itertools import chain, combinations
from typing import Any

import pytest

from tests.support.raw_clients import LEGACY, MODERN, speaking
from tests.support.scripted_servers import reply, site
from tests.support.shared_stack import World, beside

ORDER = (
    ("two credentials", "credentials_conflict"),
    ("expired", "token_expired"),
    ("unknown domain", "tenant_unknown"),
    ("other organisation", "organisation_mismatch"),
    ("no such mode", "mode_invalid"),
    ("weak role", "role_denied"),
    ("planner", "mode_denied"),
    ("unknown argument", "arguments_invalid"),
    ("other community", "community_denied"),
    ("broken tenant", "upstream_unavailable"),
)
"""Each way to be wrong and its code, in the order of judgement."""


def combined(*names: str) -> Iterator[frozenset[str]]:
    """Every set of these."""
    sizes = range(len(names) + 1)
    return map(frozenset, chain.from_iterable(combinations(names, size) for size in sizes))


class Wrong:
    """Builds a call that is wrong in exactly the given ways."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: dict[tuple[Any, ...], str] = {}

    def headers(self, faults: frozenset[str]) -> dict[str, str]:
        """Token, domain and mode."""
        organisation = "globex" if "other organisation" in faults else "acme"
        order = {
            "role": "viewer" if "weak role" in faults else "manager",
            "ttl_s": -600 if "expired" in faults else 3600,
            "community": self._world.organisations[organisation]["community_id"]
            if "other community" in faults
            else None,
        }
        key = (organisation, *order.values())
        token = self._tokens[key] = self._tokens.get(key) or self._world.mint(organisation, **order)
        domain = self._world.domain()
        said = {"authorization": f"Bearer {token}"}
        said["x-api-domain"] = domain.replace("acme", "nosuch") if "unknown domain" in faults else domain
        if "two credentials" in faults:
            said["x-api-token"] = self._world.token("x_api_token", "globex")
        if faults & {"no such mode", "planner"}:
            said["x-agent-mode"] = "wild" if "no such mode" in faults else "planner"
        return said

    def arguments(self, faults: frozenset[str]) -> dict[str, Any]:
        """Of create_challenge."""
        own = self._world.organisations["acme"]["community_id"]
        stray = {"tenant": "globex"} if "unknown argument" in faults else {}
        community = "f" * 24 if "other community" in faults else own
        return {"community_id": community, "title": "In order", "dry_run": True} | stray


@pytest.mark.parametrize("version", [MODERN, LEGACY])
async def test_the_first_thing_that_is_wrong_is_the_answer(world: World, version: str) -> None:
    wrong = Wrong(world)
    broken = reply(b"{}", "content-type: application/json", status="500 Internal Server Error")
    async with (
        site(broken) as tenant,
        beside(world, connect_to={"acme": f"127.0.0.1:{tenant.port}", "globex": f"127.0.0.1:{tenant.port}"}) as origin,
        speaking(world.origin) as sound,
        speaking(origin) as unsound,
    ):
        for faults in combined(*(name for name, _ in ORDER)):
            http = unsound if "broken tenant" in faults else sound
            expected = next((code for name, code in ORDER if name in faults), "ok")
            before = len(tenant.heads)
            said = {"headers": wrong.headers(faults), "version": version}
            heard = await http.call("create_challenge", wrong.arguments(faults), **said)
            assert heard.code == expected, (sorted(faults), heard.envelope)
            assert (len(tenant.heads) > before) is (expected == "upstream_unavailable"), "something was forwarded"


@pytest.mark.parametrize(
    ("token", "tool", "arguments", "code"),
    [
        ("viewer", "create_challenge", {}, "role_denied"),
        ("admin", "list_challenges", {"limit": "many"}, "arguments_invalid"),
    ],
)
async def test_a_refused_call_costs_the_budget_too(
    world: World, token: str, tool: str, arguments: dict[str, Any], code: str
) -> None:
    async with beside(world, caller_rate=0.001, caller_burst=1) as origin, speaking(origin) as http:
        heard = [await http.call(tool, arguments, headers=world.headers(token)) for _ in range(3)]
    assert [one.code for one in heard] == [code, "rate_limited", "rate_limited"]
