"""The ids of revoked tokens that a process knows: none forgotten before its time, and a share for each organisation."""

from collections import Counter
from collections.abc import Mapping


class RevokedTokens:
    """Ids, each of the organisation named before the colon, with the second since the epoch until which they matter.

    Parameters:
        share: ids that one organisation may add, > 0, so that none can make the list too long for all.
    """

    def __init__(self, share: int) -> None:
        self._share = share
        self._until: dict[str, int] = {}
        self._of: Counter[str] = Counter()

    def __contains__(self, token_id: str) -> bool:
        return token_id in self._until

    def __len__(self) -> int:
        return len(self._until)

    def room(self, token_id: str) -> bool:
        """Whether an id may be added."""
        return token_id in self._until or self._of[read_owner(token_id)] < self._share

    def add(self, more: Mapping[str, int]) -> None:
        """Know these too."""
        self._of.update(read_owner(token_id) for token_id in more if token_id not in self._until)
        self._until |= more

    def forget_old(self, now: float) -> None:
        """Drop what no longer matters."""
        self._until = {token_id: until for token_id, until in self._until.items() if until > now}
        self._of = Counter(map(read_owner, self._until))


def read_owner(key: str) -> str:
    """The organisation a key belongs to."""
    return key.partition(":")[0]
