"""What replicas share: budgets, single-use keys, first answers, revocations. This is the port."""

from dataclasses import dataclass
from typing import Protocol


class StoreDown(Exception):
    """The shared state cannot be reached, or has no room; what depends on it has to refuse or go on without."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A budget: `burst` (>= 1) at once, `rate_per_s` (> 0) in the long run. The key starts with the organisation."""

    key: str
    rate_per_s: float
    burst: float


class Store(Protocol):
    """The port. Keys start with the organisation's id where they belong to one.

    Every method but `last_ok` raises StoreDown.
    """

    @property
    def last_ok(self) -> float:
        """When the state last answered, in seconds of the monotonic clock; 0 when it has not yet."""
        ...

    async def claim(self, key: str, ttl_s: float, value: bytes = b"") -> bool:
        """Whether this is the first claim of the key within `ttl_s` seconds; `value` tells it from others."""
        ...

    async def replace(self, key: str, mark: bytes, value: bytes, ttl_s: float) -> bool:
        """Put a value where nothing stands, or one that begins with `mark`; whether that was so."""
        ...

    async def release(self, key: str, mark: bytes) -> None:
        """Forget a value that begins with `mark`; another one stays."""
        ...

    async def get(self, key: str) -> bytes | None:
        """What was put, or None."""
        ...

    async def put(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep a value for `ttl_s` seconds."""
        ...

    async def take(self, *buckets: Bucket) -> float:
        """Take one from every bucket and return 0, or take none and return the seconds to wait."""
        ...

    async def revoke(self, token_id: str, expires_at: int) -> None:
        """Have a token id refused by all replicas, within 2 seconds, until it would have expired anyway.

        Raises StoreDown also when the organisation has used up its share.
        """
        ...

    async def is_revoked(self, token_id: str) -> bool:
        """Whether the id was revoked; from memory, so it may be asked at every call."""
        ...
