"""What waits for one client of a legacy stream: its messages on their way in, and answers it has not read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import anyio
from mcp.shared._stream_protocols import WriteStream
from mcp.shared.message import SessionMessage


@dataclass(slots=True)
class StreamReader:
    """The streams of one set of credentials.

    `patience` holds the time limits that a message prolongs, `streams` how many are open, `owed` what waits on them.
    """

    patience: set[anyio.CancelScope] = field(default_factory=set)
    streams: int = 0
    owed: int = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count something as waiting while the block runs."""
        self.owed += 1
        try:
            yield
        finally:
            self.owed -= 1


class BoundedSender:
    """A stream of answers to a client, each counted until it is taken."""

    def __init__(self, inner: WriteStream[SessionMessage], client: StreamReader) -> None:
        self._inner = inner
        self._client = client

    async def send(self, item: SessionMessage, /) -> None:
        """Wait until the client's side takes it."""
        with self._client.one_more():
            await self._inner.send(item)

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
