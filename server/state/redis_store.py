"""The state of all replicas in Redis.

When Redis is silent, `StoreDown` says so within a quarter of a second and then at once: budgets go on locally (rate
limits), confirmations and repeat-safe creates refuse, and so do revocations once what is known is older than its grace.
"""

import math
import secrets
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import anyio
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.state.revoked_tokens import RevokedTokens, read_owner
from server.state.store import Bucket, StoreDown

ResultT = TypeVar("ResultT")

_PREFIX = "nudj:"
_REVOKED = f"{_PREFIX}revoked"
_CHANGED = f"{_PREFIX}revoked:changed"
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local wait, left = 0, {}
for i, key in ipairs(KEYS) do
  local rate, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local kept = redis.call('HMGET', key, 'left', 'at')
  left[i] = burst
  if kept[1] then left[i] = math.min(burst, kept[1] + math.max(0, now - kept[2]) * rate) end
  wait = math.max(wait, (1 - left[i]) / rate)
end
if wait > 0 then return string.format('%.6f', wait) end
for i, key in ipairs(KEYS) do
  redis.call('HSET', key, 'left', string.format('%.6f', left[i] - 1), 'at', string.format('%.6f', now))
  redis.call('PEXPIRE', key, math.ceil(1000 * ARGV[2 * i] / ARGV[2 * i - 1]))
end
return '0'
"""


class Redis:
    """The state of all replicas, in one Redis (not a cluster) that keeps its data over a restart.

    Revocations are read again when the mark of the last change is another, which is looked at once a second at most.
    What was once seen revoked stays so until it expires, even if Redis loses it.

    Parameters:
        url: `redis://` or `rediss://`; may carry a password, so it is never shown.
        patience_s: seconds one command may take, connecting included.
        rest_s: seconds after a failure in which nothing is tried.
        grace_s: seconds for which revocations known are enough while Redis is silent.
        share: revocations that one organisation may keep, and keys it may claim while one lives, > 0.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        url: str,
        *,
        patience_s: float = 0.25,
        rest_s: float = 1.0,
        grace_s: float = 10.0,
        share: int = 5_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=64,
            timeout=patience_s,
            socket_timeout=patience_s,
            socket_connect_timeout=patience_s,
            retry=Retry(NoBackoff(), 0),
        )
        self._client = Client.from_pool(pool)
        self._take = self._client.register_script(_TAKE)
        self._patience_s = patience_s
        self._rest_s = rest_s
        self._grace_s = grace_s
        self._clock = clock
        self._silent_until = 0.0
        self._last_ok = 0.0
        self._share = share
        self._revoked = RevokedTokens(share)
        self._changed: Any = None
        self._read_at: float | None = None
        self._reading = anyio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    @property
    def last_ok(self) -> float:
        """See `Store.last_ok`."""
        return self._last_ok

    async def claim(self, key: str, ttl_s: float) -> bool:
        """See `Store.claim`."""
        count = f"{_PREFIX}{read_owner(key)}:claims:{_to_ms(ttl_s)}:{int(time.time() / ttl_s)}"
        claim = self._client.pipeline(transaction=False)
        claim.incr(count)
        claim.pexpire(count, _to_ms(ttl_s))
        claim.set(_PREFIX + key, b"", nx=True, px=_to_ms(ttl_s))
        claims, _, claimed = await self._do(claim.execute())
        if claimed and claims > self._share:
            await self.drop(key)
            raise StoreDown("full")
        return claimed is not None

    async def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        return cast("bytes | None", await self._do(self._client.get(_PREFIX + key)))

    async def put(self, key: str, value: bytes, ttl_s: float) -> None:
        """See `Store.put`."""
        await self._do(self._client.set(_PREFIX + key, value, px=_to_ms(ttl_s)))

    async def drop(self, key: str) -> None:
        """See `Store.drop`."""
        await self._do(self._client.delete(_PREFIX + key))

    async def take(self, *buckets: Bucket) -> float:
        """See `Store.take`."""
        figures = [figure for bucket in buckets for figure in (bucket.rate_per_s, bucket.burst)]
        return float(await self._do(self._take([_PREFIX + bucket.key for bucket in buckets], figures)))

    async def revoke(self, token_id: str, expires_at: int) -> None:
        """See `Store.revoke`."""
        if not self._revoked.room(token_id):
            raise StoreDown("full")
        change = self._client.pipeline()
        change.zadd(_REVOKED, {token_id: expires_at})
        change.zremrangebyscore(_REVOKED, "-inf", time.time())
        change.set(_CHANGED, secrets.token_hex(8))
        await self._do(change.execute())
        self._revoked.add({token_id: expires_at})

    async def is_revoked(self, token_id: str) -> bool:
        """See `Store.revoked`."""
        if self._stale():
            async with self._reading:
                if self._stale():
                    await self._refresh()
        return token_id in self._revoked

    def _stale(self) -> bool:
        return self._read_at is None or self._clock() - self._read_at > 1.0

    async def _refresh(self) -> None:
        asked_at = self._clock()
        try:
            changed = await self._do(self._client.get(_CHANGED))
            if changed != self._changed or self._read_at is None:
                found = await self._do(
                    self._client.zrange(_REVOKED, time.time(), "+inf", byscore=True, withscores=True)
                )
                read = {name.decode(): int(until) for name, until in cast("list[tuple[bytes, float]]", found)}
                self._revoked.forget_old(time.time())
                self._revoked.add(read)
                self._changed = changed
        except StoreDown:
            if self._read_at is None or asked_at - self._read_at > self._grace_s:
                raise
        else:
            self._read_at = asked_at

    async def _do(self, command: Awaitable[ResultT]) -> ResultT:
        if self._clock() < self._silent_until:
            _is_unsent(command)
            raise StoreDown("resting")
        try:
            with anyio.fail_after(self._patience_s):
                result = await command
        except (RedisError, OSError, TimeoutError) as error:
            self._silent_until = self._clock() + self._rest_s
            raise StoreDown(type(error).__name__) from None
        self._last_ok = self._clock()
        return result


def _to_ms(seconds: float) -> int:
    return max(1, math.ceil(seconds * 1000))


def _is_unsent(command: Any) -> None:
    # A coroutine that nobody awaits warns when it is collected.
    if hasattr(command, "close"):
        command.close()
