"""The shared state of a server that shares it with nobody: one process, nothing kept over a restart."""

import time
from collections import OrderedDict
from collections.abc import Callable

from server.state.revoked_tokens import RevokedTokens, read_owner
from server.state.store import Bucket, StoreDown


class InProcess:
    """The state of a single process.

    Parameters:
        size: entries of each kind, > 0; buckets give way to newer ones, all else is refused when full.
        share: values, and revocations, that one organisation may keep, > 0, so that none can use up the others' room.
        clock: seconds, monotonic.
    """

    def __init__(self, *, size: int = 100_000, share: int = 5_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._share = share
        self._clock = clock
        self._kept: dict[str, dict[str, tuple[bytes, float]]] = {}
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._revoked = RevokedTokens(share)

    @property
    def last_ok(self) -> float:
        """See `Store.last_ok`."""
        return self._clock()

    async def claim(self, key: str, ttl_s: float, value: bytes = b"") -> bool:
        """See `Store.claim`."""
        if await self.get(key) is not None:
            return False
        await self.put(key, value, ttl_s)
        return True

    async def replace(self, key: str, mark: bytes, value: bytes, ttl_s: float) -> bool:
        """See `Store.replace`."""
        known = await self.get(key)
        if known is not None and not known.startswith(mark):
            return False
        await self.put(key, value, ttl_s)
        return True

    async def release(self, key: str, mark: bytes) -> None:
        """See `Store.release`."""
        if (await self.get(key) or b"").startswith(mark):
            self._kept.get(read_owner(key), {}).pop(key, None)

    async def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        value, until = self._kept.get(read_owner(key), {}).get(key, (b"", 0.0))
        return value if until > self._clock() else None

    async def put(self, key: str, value: bytes, ttl_s: float) -> None:
        """See `Store.put`."""
        now = self._clock()
        if await self.get(key) is None and self._full(read_owner(key)):
            self._forget_old(now)
            if self._full(read_owner(key)):
                raise StoreDown("full")
        self._kept.setdefault(read_owner(key), {})[key] = (value, now + ttl_s)

    def _full(self, owner: str) -> bool:
        total = sum(map(len, self._kept.values()))
        return total >= self._size or len(self._kept.get(owner, {})) >= self._share

    def _forget_old(self, now: float) -> None:
        alive_now = {
            owner: {key: kept for key, kept in own.items() if kept[1] > now} for owner, own in self._kept.items()
        }
        self._kept = {owner: own for owner, own in alive_now.items() if own}

    async def take(self, *buckets: Bucket) -> float:
        """See `Store.take`."""
        now = self._clock()
        left = [self._compute_left(bucket, now) for bucket in buckets]
        wait = max((1 - have) / bucket.rate_per_s for have, bucket in zip(left, buckets, strict=True))
        if wait > 0:
            return wait
        for have, bucket in zip(left, buckets, strict=True):
            self._buckets[bucket.key] = (have - 1, now)
            self._buckets.move_to_end(bucket.key)
        while len(self._buckets) > self._size:
            self._buckets.popitem(last=False)
        return 0.0

    def _compute_left(self, bucket: Bucket, now: float) -> float:
        left, at = self._buckets.get(bucket.key, (bucket.burst, now))
        return min(bucket.burst, left + max(0.0, now - at) * bucket.rate_per_s)

    async def revoke(self, token_id: str, expires_at: int) -> None:
        """See `Store.revoke`."""
        if len(self._revoked) >= self._size:
            self._revoked.forget_old(time.time())
        if len(self._revoked) >= self._size or not self._revoked.room(token_id):
            raise StoreDown("full")
        self._revoked.add({token_id: expires_at})

    async def is_revoked(self, token_id: str) -> bool:
        """See `Store.revoked`."""
        return token_id in self._revoked
