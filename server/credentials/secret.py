"""A string that cannot be printed by accident."""

import hashlib


class Secret:
    """Holds a credential; every way of printing it shows a mask, and only `reveal` gives it out."""

    def __init__(self, value: str) -> None:
        self._value = value
        self._digest: str | None = None

    def reveal(self) -> str:
        """The value itself; for the one line that puts it on a wire."""
        return self._value

    @property
    def digest(self) -> str:
        """SHA-256 of the value, hex: the only form in which it may be a key."""
        if self._digest is None:
            self._digest = hashlib.sha256(self._value.encode("utf-8", "surrogatepass")).hexdigest()
        return self._digest

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)
