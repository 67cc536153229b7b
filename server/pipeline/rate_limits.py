"""How much one organisation, and one caller in it, may ask for: so that nobody's calls cost another's.

The organisation is the bound; the caller's share only keeps its colleagues served. Both are known from the verified
token and the directory, never from what a request says about itself.
"""

import asyncio
from collections import Counter
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from server.identity.principal import Principal
from server.state.in_process import InProcess
from server.state.store import Bucket, Store, StoreDown
from server.tenants.tenant import Tenant
from tools.refusals import Code, ToolError

HOLD_S = 0.1
"""How late a refusal is told: who asks again at once then asks ten times a second and not a thousand."""

HELD = 256
"""Refusals of one organisation that are held at a time; more are told at once."""


class RateLimits:
    """Budgets and bulkheads; one for the whole process.

    Parameters:
        store: where budgets are kept; while it is down, each replica goes on with budgets of its own.
        tenant_rate, tenant_burst: calls a second and at once, for one organisation.
        caller_rate, caller_burst: the same for one subject in it.
        tenant_calls, caller_calls: calls of one organisation, and of one subject, that this process runs at a time.
    """

    def __init__(
        self,
        store: Store,
        *,
        tenant_rate: float = 100.0,
        tenant_burst: float = 200.0,
        caller_rate: float = 50.0,
        caller_burst: float = 100.0,
        tenant_calls: int = 32,
        caller_calls: int = 16,
    ) -> None:
        self._store = store
        self._local = InProcess()
        self._rates = ((tenant_rate, tenant_burst), (caller_rate, caller_burst))
        self._most = (tenant_calls, caller_calls)
        self._running: Counter[str] = Counter()
        self._held: Counter[str] = Counter()

    def enter(self, principal: Principal, tenant: Tenant) -> AbstractAsyncContextManager[None]:
        """Run one call inside; a full bulkhead refuses, for a queue would only hide it.

        Raises:
            ToolError: rate_limited, with the seconds to wait; on entering.
        """
        return _CallSlot(self, (tenant.organisation, principal.key))

    async def begin(self, keys: "Keys") -> None:
        """What entering does."""
        try:
            await self._begin(keys)
        except ToolError:
            await self._hold(keys[0])
            raise

    async def _hold(self, organisation: str) -> None:
        if self._held[organisation] >= HELD:
            return
        self._held[organisation] += 1
        try:
            await asyncio.sleep(HOLD_S)
        finally:
            self._held[organisation] -= 1
            if not self._held[organisation]:
                del self._held[organisation]

    async def _begin(self, keys: "Keys") -> None:
        for key, most in zip(keys, self._most, strict=True):
            if self._running[key] >= most:
                raise _build_limited(
                    "concurrency", f"{most} calls are running already; that is the most at a time.", 1.0
                )
        for key in keys:
            self._running[key] += 1
        try:
            await self._spend(keys)
        except BaseException:
            self.end(keys)
            raise

    async def _spend(self, keys: "Keys") -> None:
        buckets = [Bucket(f"{key}:calls", *rate) for key, rate in zip(keys, self._rates, strict=True)]
        try:
            wait = await self._store.take(*buckets)
        except StoreDown:
            wait = await self._local.take(*buckets)
        if wait > 0:
            tenant, caller = (f"{rate:g}" for rate, _ in self._rates)
            message = f"The budget of {tenant} calls a second for the organisation, {caller} for one caller, is spent."
            raise _build_limited("rate", message, wait)

    def end(self, keys: "Keys") -> None:
        """What leaving does."""
        for key in keys:
            self._running[key] -= 1
            if self._running[key] <= 0:
                del self._running[key]


Keys = tuple[str, str]
"""Under which a call is counted: its organisation's, and its caller's in it."""


@dataclass(frozen=True, slots=True)
class _CallSlot:
    """A generator would do, at several times the price."""

    limits: RateLimits
    keys: Keys

    async def __aenter__(self) -> None:
        await self.limits.begin(self.keys)

    async def __aexit__(self, *_: object) -> None:
        self.limits.end(self.keys)


def _build_limited(reason: str, message: str, wait: float) -> ToolError:
    return ToolError(
        Code.RATE_LIMITED,
        message,
        "Wait for retry_after_s seconds, and make calls one after another.",
        reason=reason,
        retry_after_s=max(0.1, round(wait, 1)),
    )
