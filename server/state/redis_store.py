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

from server.state.redis_faults import is_of_connection, name_fault
from server.state.revoked_tokens import RevokedTokens, read_owner
from server.state.store import Bucket, StoreDown
from server.state.trouble import Trouble

ResultT = TypeVar("ResultT")

_CLAIM = """
local known = redis.call('GET', KEYS[1])
if known then return known == ARGV[1] and 1 or 0 end
local claims = redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if claims > tonumber(ARGV[3]) then return -1 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
"""A claim made again with the value it was made with is the same claim: its first answer may have been lost."""

_REPLACE = """
local known = redis.call('GET', KEYS[1])
if known and string.sub(known, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""
_RELEASE = """
local known = redis.call('GET', KEYS[1])
if known and string.sub(known, 1, #ARGV[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
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
  if kept[1] then
    if tonumber(kept[2]) > now then redis.call('HSET', key, 'at', string.format('%.6f', now)) end -- it went back
    left[i] = math.min(burst, kept[1] + math.max(0, now - kept[2]) * rate)
  end
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
        self._claim = self._client.register_script(_CLAIM)
        self._replace = self._client.register_script(_REPLACE)
        self._release = self._client.register_script(_RELEASE)
        self.trouble = Trouble("the state that replicas share", clock)
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

    async def claim(self, key: str, ttl_s: float, value: bytes = b"") -> bool:
        """See `Store.claim`."""
        count = f"{_PREFIX}{read_owner(key)}:claims:{_to_ms(ttl_s)}:{int(time.time() / ttl_s)}"
        mine = value or secrets.token_bytes(16)
        said: list[bytes | int] = [mine, _to_ms(ttl_s), self._share]
        claimed = await self._do(lambda: self._claim([_PREFIX + key, count], said))
        if claimed < 0:
            raise StoreDown("full")
        return bool(claimed)

    async def replace(self, key: str, mark: bytes, value: bytes, ttl_s: float) -> bool:
        """See `Store.replace`."""
        return bool(await self._do(lambda: self._replace([_PREFIX + key], [mark, value, _to_ms(ttl_s)])))

    async def release(self, key: str, mark: bytes) -> None:
        """See `Store.release`."""
        await self._do(lambda: self._release([_PREFIX + key], [mark]))

    async def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        return cast("bytes | None", await self._do(lambda: self._client.get(_PREFIX + key)))

    async def put(self, key: str, value: bytes, ttl_s: float) -> None:
        """See `Store.put`."""
        await self._do(lambda: self._client.set(_PREFIX + key, value, px=_to_ms(ttl_s)))

    async def take(self, *buckets: Bucket) -> float:
        """See `Store.take`."""
        figures = [figure for bucket in buckets for figure in (bucket.rate_per_s, bucket.burst)]
        return float(await self._do(lambda: self._take([_PREFIX + bucket.key for bucket in buckets], figures)))

    async def revoke(self, token_id: str, expires_at: int) -> None:
        """See `Store.revoke`."""
        if not self._revoked.room(token_id):
            raise StoreDown("full")
        await self._do(lambda: self._add_revoked(token_id, expires_at))
        self._revoked.add({token_id: expires_at})

    def _add_revoked(self, token_id: str, expires_at: int) -> Awaitable[Any]:
        change = self._client.pipeline()
        change.zadd(_REVOKED, {token_id: expires_at})
        change.zremrangebyscore(_REVOKED, "-inf", time.time())
        change.set(_CHANGED, secrets.token_hex(8))
        return change.execute()

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
            changed = await self._do(lambda: self._client.get(_CHANGED))
            if changed != self._changed or self._read_at is None:
                found = await self._do(
                    lambda: self._client.zrange(_REVOKED, time.time(), "+inf", byscore=True, withscores=True)
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

    async def _do(self, command: Callable[[], Awaitable[ResultT]]) -> ResultT:
        if self._clock() < self._silent_until:
            raise StoreDown(self.trouble.reason or "resting")
        try:
            with anyio.fail_after(self._patience_s):
                result = await self._try_twice(command)
        except (RedisError, OSError, TimeoutError) as error:
            self._silent_until = self._clock() + self._rest_s
            self.trouble.begin(name_fault(error))
            raise StoreDown(self.trouble.reason or "") from None
        self.trouble.end()
        self._last_ok = self._clock()
        return result

    async def _try_twice(self, command: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """A connection kept from before a restart or a failover fails once; a new one leads to who serves now."""
        try:
            return await command()
        except (RedisError, OSError) as error:
            if not is_of_connection(error):
                raise
        await self._client.connection_pool.disconnect(inuse_connections=False)
        return await command()


def _to_ms(seconds: float) -> int:
    return max(1, math.ceil(seconds * 1000))
