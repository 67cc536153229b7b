"""Tokens that are good by their signature and known to be worth nothing: their issuer or their tenant said so."""

from collections import OrderedDict


class DeadTokens:
    """A bounded book of digests; the longest dead goes first.

    Parameters:
        size: digests kept, > 0.
    """

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._until: OrderedDict[str, float] = OrderedDict()

    def add(self, digest: str, until: float) -> None:
        """A token is dead until then, in seconds since the epoch."""
        self._until[digest] = max(until, self._until.pop(digest, 0.0))
        if len(self._until) > self._size:
            self._until.popitem(last=False)

    def contains(self, digest: str, now: float) -> bool:
        """Whether a token is dead."""
        until = self._until.get(digest)
        if until is None:
            return False
        if until <= now:
            del self._until[digest]
            return False
        return True
