"""The last tool calls the server in front made for this tenant's organisations, as its audit tells them."""

from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

_KEPT = 1000


class FeedLine(Protocol):
    """What is read of an audit line."""

    @property
    def time(self) -> str: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def token_id(self) -> str | None: ...
    @property
    def organisation(self) -> str | None: ...
    @property
    def tool(self) -> str | None: ...
    @property
    def method(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def code(self) -> str | None: ...
    @property
    def ms(self) -> float: ...
    @property
    def request_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """One call, as the panel shows it."""

    time: str
    who: str
    token_id: str | None
    tool: str
    verdict: str
    reason: str
    ms: float
    request_id: str


class CallFeed:
    """A bounded memory of calls, apart per organisation; written and read from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: dict[str, deque[Seen]] = {}

    def observe(self, line: FeedLine) -> None:
        """Take note of a line; one of nobody verified belongs to no organisation and is not shown to any."""
        if line.organisation is None:
            return
        seen = Seen(
            time=line.time,
            who=line.subject or "unknown",
            token_id=line.token_id,
            tool=line.tool or line.method,
            verdict=line.verdict,
            reason=line.code or "",
            ms=line.ms,
            request_id=line.request_id,
        )
        with self._lock:
            self._calls.setdefault(line.organisation, deque(maxlen=_KEPT)).append(seen)

    def latest(self, organisation: str, count: int = 50) -> list[Seen]:
        """The newest calls of one organisation, newest first."""
        with self._lock:
            return list(reversed(self._calls.get(organisation, ())))[:count]
