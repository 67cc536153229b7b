"""A token revoked through one replica is refused by that one at once and by every other within two seconds."""

import time
from collections.abc import Iterator

import anyio
import pytest

from tests.support.hosted_server import Hosted, hosted
from tests.support.measurements import Figure
from tests.support.raw_clients import Http, speaking
from tests.support.replicas import confirmed, replicas, shared_state, token_id

WITHIN_S = 2.0


@pytest.fixture(name="here", scope="module")
def _here() -> Iterator[Hosted]:
    with hosted() as found:
        yield found


async def code(http: Http, headers: dict[str, str]) -> str:
    return (await http.call("list_challenges", {"limit": 1}, headers=headers)).code


async def test_two_replicas_that_share_redis_refuse_it_without_any_feed(here: Hosted, figure: Figure) -> None:
    victim = here.headers("viewer")
    with (
        shared_state() as redis,
        replicas(here, 2, NUDJ_MCP_REDIS_URL=redis.url, NUDJ_MCP_REVOCATIONS_URL="") as (one, other),
    ):
        async with speaking(one.origin) as near, speaking(other.origin) as far:
            assert [await code(near, victim), await code(far, victim)] == ["ok", "ok"]
            revoked = {"token_id": token_id(here.token("viewer"))}
            assert await confirmed(near, "revoke_token", revoked, here.headers("admin")) == "ok"
            began = time.monotonic()
            assert await code(near, victim) == "token_revoked"
            while await code(far, victim) != "token_revoked":
                assert time.monotonic() - began < WITHIN_S
                await anyio.sleep(0.05)
            figure(f"refused by the other replica after {time.monotonic() - began:.2f} s")
            assert await code(far, here.headers("admin")) == "ok"


async def test_a_single_server_without_redis_and_feed_refuses_it_at_once(here: Hosted) -> None:
    victim = here.headers("moderator")
    with replicas(here, 1, NUDJ_MCP_REVOCATIONS_URL="") as (alone,):
        async with speaking(alone.origin) as http:
            assert await code(http, victim) == "ok"
            revoked = {"token_id": token_id(here.token("moderator"))}
            assert await confirmed(http, "revoke_token", revoked, here.headers("admin")) == "ok"
            assert await code(http, victim) == "token_revoked"


async def test_no_organisation_ends_the_token_of_another(here: Hosted) -> None:
    neighbour = here.headers("admin", "globex") | {"Authorization": f"Bearer {here.token('admin', 'globex')}"}
    with replicas(here, 1, NUDJ_MCP_REVOCATIONS_URL="") as (alone,):
        async with speaking(alone.origin) as http:
            foreign = {"token_id": token_id(here.token("admin", "globex"))}
            assert await confirmed(http, "revoke_token", foreign, here.headers("admin")) == "not_found"
            assert await code(http, neighbour) == "ok"
