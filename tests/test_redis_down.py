"""Redis hangs or dies while the server serves: each feature does what is documented, and nothing waits for it."""

import signal
import time
from collections.abc import Iterator

import aiohttp
import anyio
import pytest

from tests.support.hosted_server import Hosted, hosted
from tests.support.measurements import Figure
from tests.support.raw_clients import Heard, Http, speaking
from tests.support.replicas import SharedState, replicas, shared_state

AT_ONCE_S = 2.0
GRACE_S = 10.0


@pytest.fixture(name="redis", scope="module")
def _redis() -> Iterator[SharedState]:
    with shared_state() as found:
        yield found


@pytest.fixture(name="server", scope="module")
def _server(redis: SharedState) -> Iterator[Hosted]:
    with (
        hosted() as first,
        replicas(first, 1, NUDJ_MCP_REDIS_URL=redis.url, NUDJ_MCP_REVOCATIONS_URL="") as (found,),
    ):
        yield found


async def timely(http: Http, tool: str, headers: dict[str, str], **arguments: object) -> Heard:
    """A call that must not hang, whatever Redis does."""
    began = time.monotonic()
    heard = await http.call(tool, arguments, headers=headers)
    assert time.monotonic() - began < AT_ONCE_S
    return heard


async def ready(origin: str) -> bool:
    async with aiohttp.ClientSession() as session, session.get(f"{origin}/readyz") as answer:
        return answer.status == 200


async def until_served(http: Http, headers: dict[str, str]) -> float:
    began = time.monotonic()
    while (await timely(http, "list_tags", headers)).code != "ok":
        assert time.monotonic() - began < 5
        await anyio.sleep(0.1)
    return time.monotonic() - began


async def test_while_redis_hangs_budgets_go_on_and_what_needs_it_refuses(
    server: Hosted, redis: SharedState, figure: Figure
) -> None:
    headers = server.headers("admin")
    tag = {"value": "Space", "request_key": "redis-down-test-1"}
    async with speaking(server.origin) as http:
        found = (await timely(http, "list_challenges", headers)).envelope["data"]["items"][0]["id"]
        asked = (await timely(http, "delete_challenge", headers, id=found)).envelope["error"]
        redis.send(signal.SIGSTOP)
        silent = time.monotonic()
        try:
            assert (await timely(http, "list_tags", headers)).code == "ok"
            assert (await timely(http, "create_tag", headers, **tag)).code == "verification_unavailable"
            destroy = await timely(http, "delete_challenge", headers, id=found, confirm=asked["confirm"])
            assert destroy.code == "verification_unavailable"
            assert destroy.envelope["error"]["retryable"]
            assert (await timely(http, "list_tags", headers)).code == "ok"
            await anyio.sleep(silent + GRACE_S + 2 - time.monotonic())
            assert (await timely(http, "list_tags", headers)).code == "verification_unavailable"
            assert not await ready(server.origin)
        finally:
            redis.send(signal.SIGCONT)
        figure(f"served again {await until_served(http, headers):.2f} s after Redis came back")
        await anyio.sleep(1.5)
        assert await ready(server.origin)
        assert (await timely(http, "create_tag", headers, **tag)).code == "ok"


async def test_a_redis_that_dies_and_comes_back_empty_interrupts_no_read(server: Hosted, redis: SharedState) -> None:
    headers = server.headers("admin")
    async with speaking(server.origin) as http:
        redis.kill()
        codes = {(await timely(http, "list_tags", headers)).code for _ in range(20)}
        redis.start()
        await until_served(http, headers)
        assert codes == {"ok"}
        await anyio.sleep(1.2)
        again = await timely(http, "create_tag", headers, value="Stars", request_key="redis-down-test-2")
        assert again.code == "ok"
