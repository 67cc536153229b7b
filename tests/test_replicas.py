"""Three replicas behind nginx, under load: a rolling restart costs no call, a killed replica only those it was at."""

from collections.abc import Iterator, Sequence

import anyio
import anyio.to_thread
import pytest

from tests.support.hosted_server import Hosted, hosted
from tests.support.load_generator import calling
from tests.support.measurements import Figure
from tests.support.replicas import door, replicas, shared_state

CALLERS = 6


@pytest.fixture(name="three", scope="module")
def _three() -> Iterator[Sequence[Hosted]]:
    with (
        hosted() as first,
        shared_state() as redis,
        replicas(
            first,
            3,
            NUDJ_MCP_REDIS_URL=redis.url,
            NUDJ_MCP_DRAIN_S="10",
            NUDJ_MCP_DRAIN_NOTICE_S="2",
            NUDJ_MCP_CALLER_RATE="10000",
            NUDJ_MCP_TENANT_RATE="10000",
        ) as found,
    ):
        yield found


async def test_each_replica_drains_and_comes_back_without_one_failed_call(
    three: Sequence[Hosted], figure: Figure
) -> None:
    with door(three) as origin:
        async with calling(origin, three[0].headers(), callers=CALLERS, pause_s=0.01) as seen:
            await anyio.sleep(0.5)
            for each in three:
                await anyio.to_thread.run_sync(each.restart)
            await anyio.sleep(0.5)
        figure(f"rolling restart of three: {seen}")
        assert set(seen.codes) == {"ok"}, seen.faults[:5]
        assert seen.codes["ok"] > 100


async def test_a_killed_replica_loses_no_call_but_those_under_way_in_it(
    three: Sequence[Hosted], figure: Figure
) -> None:
    victim = three[0]
    with door(three) as origin:
        async with calling(origin, victim.headers(), callers=CALLERS, pause_s=0.01) as seen:
            await anyio.sleep(1)
            assert victim.server is not None
            victim.server.kill()
            victim.server.wait()
            await anyio.sleep(2)
        figure(f"one of three killed: {seen}")
        await anyio.to_thread.run_sync(victim.start)
        assert set(seen.codes) <= {"ok", "failed"}
        assert seen.codes["failed"] <= CALLERS, seen.faults[:9]
