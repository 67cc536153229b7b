"""Verdicts on tokens seen before, so that a signature is computed once and not once per call."""

from collections import OrderedDict
from dataclasses import dataclass

from server.identity.keys import KeySet
from server.identity.principal import Principal

_FORGED_S = 10.0


@dataclass(frozen=True, slots=True)
class _Held:
    principal: Principal
    keys: KeySet


class Verdicts:
    """Good and bad verdicts in two bounded books, so that a flood of forgeries cannot push out real callers.

    A verdict holds only while the key set it was reached with is in force. Nothing is keyed by what a token claims.

    Parameters:
        size: good verdicts kept, > 0, of about 1 kB each; the least recently used goes first.
        forged: bad ones kept, > 0.
    """

    def __init__(self, size: int = 100_000, forged: int = 10_000) -> None:
        self.hits = self.misses = 0
        self._size = size
        self._most_forged = forged
        self._good: OrderedDict[str, _Held] = OrderedDict()
        self._forged: OrderedDict[str, tuple[KeySet, float]] = OrderedDict()

    def good(self, digest: str, keys: KeySet | None, now: float) -> Principal | None:
        """The principal of a token already verified by these keys and not expired."""
        held = self._good.get(digest)
        if held is None or held.keys is not keys or held.principal.expires_at <= now:
            self._good.pop(digest, None)
            self.misses += 1
            return None
        self.hits += 1
        self._good.move_to_end(digest)
        return held.principal

    def is_forged(self, digest: str, keys: KeySet, now: float) -> bool:
        """Whether these keys found the signature bad a moment ago."""
        found = self._forged.get(digest)
        return found is not None and found[0] is keys and found[1] > now

    def keep(self, principal: Principal, keys: KeySet) -> None:
        """Keep a good verdict."""
        self._good[principal.digest] = _Held(principal, keys)
        if len(self._good) > self._size:
            self._good.popitem(last=False)

    def keep_forged(self, digest: str, keys: KeySet, now: float) -> None:
        """Keep a bad signature for ten seconds."""
        self._forged[digest] = (keys, now + _FORGED_S)
        if len(self._forged) > self._most_forged:
            self._forged.popitem(last=False)

    def forget(self, digest: str) -> None:
        """Drop whatever is known of a token."""
        self._good.pop(digest, None)
        self._forged.pop(digest, None)
