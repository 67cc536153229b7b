"""Budgets and bulkheads: an organisation bounds its callers, and nobody bounds another organisation."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
import pytest

from server.identity.principal import Grant, Principal, Role
from server.pipeline.rate_limits import HELD, HOLD_S, RateLimits
from server.state.in_process import InProcess
from server.state.redis_store import Redis
from server.tenants.tenant import Tenant
from server.upstream.circuit_breaker import CircuitBreaker
from server.upstream.retry_budget import RetryBudget
from tools.refusals import Code, ToolError

ACME, GLOBEX = "a" * 24, "b" * 24


class Hands:
    """A clock that is moved by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def who(subject: str = "ann", organisation: str = ACME) -> tuple[Principal, Tenant]:
    principal = Principal(subject, organisation, (Grant(Role.ADMIN),), 2**31, "id", "bearer", "0" * 64)
    return principal, Tenant(organisation, f"https://{organisation}.test/api/v2/admin", organisation)


@asynccontextmanager
async def held(limits: RateLimits, times: int, subject: str = "ann", organisation: str = ACME) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for _ in range(times):
            await stack.enter_async_context(limits.enter(*who(subject, organisation)))
        yield


async def refused(limits: RateLimits, subject: str = "ann", organisation: str = ACME) -> ToolError | None:
    try:
        async with limits.enter(*who(subject, organisation)):
            return None
    except ToolError as refusal:
        return refusal


async def test_an_organisation_has_so_many_calls_at_a_time_whoever_makes_them() -> None:
    limits = RateLimits(InProcess(), tenant_calls=4, caller_calls=2)
    async with held(limits, 2, "ann"), held(limits, 2, "ben"):
        refusal = await refused(limits, "eve")
        assert refusal is not None
        assert (refusal.code, refusal.reason) == (Code.RATE_LIMITED, "concurrency")
        assert await refused(limits, "ann", GLOBEX) is None
    assert await refused(limits, "eve") is None


async def test_one_caller_leaves_room_for_the_others() -> None:
    limits = RateLimits(InProcess(), tenant_calls=4, caller_calls=2)
    async with held(limits, 2, "ann"):
        assert await refused(limits, "ann") is not None
        assert await refused(limits, "ben") is None


async def test_a_call_that_fails_or_is_cancelled_gives_its_place_back() -> None:
    limits = RateLimits(InProcess(), tenant_calls=1)
    with pytest.raises(ZeroDivisionError):
        async with limits.enter(*who()):
            raise ZeroDivisionError
    with anyio.move_on_after(0.01):
        async with limits.enter(*who()):
            await anyio.sleep(10)
    assert await refused(limits) is None


async def test_a_spent_budget_says_how_long_to_wait() -> None:
    clock = Hands()
    limits = RateLimits(InProcess(clock=clock), caller_rate=0.5, caller_burst=2)
    assert [await refused(limits) for _ in range(2)] == [None, None]
    refusal = await refused(limits)
    assert refusal is not None
    assert (refusal.reason, refusal.retry_after_s, refusal.retryable) == ("rate", 2.0, True)
    clock.now += 2
    assert await refused(limits) is None


async def test_many_callers_do_not_add_up_to_more_than_their_organisation_has() -> None:
    limits = RateLimits(InProcess(clock=Hands()), tenant_burst=10)
    answers = [await refused(limits, f"person {number}") for number in range(30)]
    assert answers.count(None) == 10
    assert await refused(limits, "ann", GLOBEX) is None


async def test_a_refused_place_costs_no_budget() -> None:
    limits = RateLimits(InProcess(clock=Hands()), caller_burst=2, caller_calls=1)
    async with held(limits, 1):
        for _ in range(5):
            assert await refused(limits) is not None
    assert await refused(limits) is None


async def test_a_refusal_is_told_late_so_that_a_loop_of_calls_is_slowed_and_nobody_else_is() -> None:
    limits, told = RateLimits(InProcess(), tenant_rate=0.001, tenant_burst=1), []
    assert await refused(limits) is None

    async def ask() -> None:
        told.append(await refused(limits))

    async with anyio.create_task_group() as tasks:
        for _ in range(HELD + 10):
            tasks.start_soon(ask)
        await anyio.sleep(HOLD_S / 2)
        assert len(told) == 10
        assert await refused(limits, "ann", GLOBEX) is None
    assert len(told) == HELD + 10
    assert None not in told
    assert not limits._held


async def test_budgets_go_on_in_this_process_while_redis_is_away() -> None:
    async with Redis("redis://127.0.0.1:1/0") as store:
        limits = RateLimits(store, caller_burst=3, caller_rate=0.01)
        answers = [await refused(limits) for _ in range(5)]
    assert answers.count(None) == 3


async def test_a_circuit_opens_after_failures_in_a_row_and_lets_one_probe_through() -> None:
    clock = Hands()
    breaker = CircuitBreaker(failures=2, rest_s=5, clock=clock)
    breaker.record_failure("acme")
    assert breaker.wait("acme") == 0
    breaker.record_failure("acme")
    assert (breaker.wait("acme"), breaker.wait("globex"), breaker.open_circuits) == (5, 0, 1)
    clock.now += 5
    assert [breaker.wait("acme") for _ in range(3)] == [0, 5, 5]
    breaker.record_failure("acme")
    assert breaker.wait("acme") == 5
    clock.now += 5
    assert breaker.wait("acme") == 0
    breaker.record_answer("acme")
    assert (breaker.wait("acme"), breaker.open_circuits) == (0, 0)


async def test_a_probe_that_never_reports_does_not_keep_the_circuit_shut() -> None:
    clock = Hands()
    breaker = CircuitBreaker(failures=1, rest_s=5, clock=clock)
    breaker.record_failure("acme")
    clock.now += 5
    assert breaker.wait("acme") == 0
    clock.now += 5
    assert breaker.wait("acme") == 0


async def test_an_answer_between_failures_keeps_the_circuit_closed() -> None:
    breaker = CircuitBreaker(failures=2, clock=Hands())
    for _ in range(5):
        breaker.record_failure("acme")
        breaker.record_answer("acme")
    assert breaker.wait("acme") == 0


async def test_repeats_are_a_share_of_the_requests() -> None:
    retries = RetryBudget(share=0.1, most=2)
    repeats = 0
    for _ in range(100):
        retries.earn("acme")
        repeats += retries.spend("acme")
    assert repeats == 11
