"""Nothing grows without bound with tenants, callers or what they send: each memory has a size and gives way."""

import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from server.identity.keys import KeySet
from server.identity.verdict_cache import Verdicts
from server.pipeline.rate_limits import RateLimits
from server.state.in_process import InProcess
from server.state.store import Bucket, StoreDown
from server.upstream.circuit_breaker import CircuitBreaker
from server.upstream.retry_budget import RetryBudget
from tests.support.token_issuer import HOME, NOW, bearing

SIZE, MANY = 50, 500


async def verdicts() -> object:
    kept, keys = Verdicts(SIZE, SIZE), KeySet(())
    for number in range(MANY):
        kept.keep(replace(bearing("a"), digest=f"{number}"), keys)
        kept.keep_forged(f"{number}", keys, NOW)
    assert kept.good(f"{MANY - 1}", keys, NOW) is not None
    return kept


async def circuits() -> object:
    kept = CircuitBreaker(size=SIZE)
    for number in range(MANY):
        kept.record_failure(f"{number}")
    return kept


async def repeats() -> object:
    kept = RetryBudget(size=SIZE)
    for number in range(MANY):
        kept.earn(f"{number}")
    return kept


async def budgets() -> object:
    kept = InProcess(size=SIZE)
    for number in range(MANY):
        await kept.take(Bucket(f"{number}", 1, 1))
    return kept


async def claims() -> object:
    kept = InProcess(size=SIZE)
    for number in range(SIZE):
        await kept.put(f"{number}", b"", 60)
    with pytest.raises(StoreDown):  # a single-use value or a first answer may not be forgotten: what is new refuses
        await kept.put("more", b"", 60)
    return kept


async def bulkheads() -> object:
    kept = RateLimits(InProcess(size=SIZE), tenant_rate=1e9, tenant_burst=1e9)
    for number in range(MANY):
        async with kept.enter(replace(bearing("a"), subject=f"{number}"), HOME):
            pass
    return kept


@pytest.mark.parametrize("fill", [verdicts, circuits, repeats, budgets, claims, bulkheads])
async def test_a_memory_never_holds_more_than_its_size(fill: Callable[[], Awaitable[object]]) -> None:
    kept = await fill()
    found = [part for part in vars(kept).values() if isinstance(part, dict)]
    assert found
    assert max(len(part) for part in found) <= SIZE


def test_a_hundred_thousand_verdicts_are_kept_and_no_more() -> None:
    kept, keys = Verdicts(), KeySet(())
    for number in range(110_000):
        kept.keep(replace(bearing("a"), digest=f"{number:064x}"), keys)
    assert max(len(part) for part in vars(kept).values() if isinstance(part, dict)) == 100_000
    assert sys.getsizeof(vars(kept)["_good"]) < 20_000_000
