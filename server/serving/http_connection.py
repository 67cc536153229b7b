"""One client's connection, with the bounds uvicorn leaves to a proxy: how long and how large a request may come in."""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

FRAMING_CAP = 131_072
"""Bytes of a request that are not its body: line, headers, chunk sizes, trailers."""

UNREAD_CAP = 10_000_000
"""Bytes still taken of a body that is already answered, so that a client that reads only after it wrote hears why."""


class HttpConnection(HttpToolsProtocol):
    """Drops a connection whose request takes too long to arrive or is too large around its body.

    `patience_s` counts from the opened connection, or from the first bytes of a later request, to the last ones.
    """

    patience_s: ClassVar[float] = 60.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._framing = self._unread = 0
        self._awaited = True
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._time()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._framing += len(data)
        super().data_received(data)
        if self._framing > FRAMING_CAP or self._unread > UNREAD_CAP:
            self.transport.abort()
        elif self._awaited and self._late is None:
            self._time()

    def on_message_begin(self) -> None:
        """See httptools."""
        self._framing = self._unread = 0
        self._awaited = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """See httptools; trailers may not be taken for headers (RFC 9110 section 6.5.1), but uvicorn adds them."""
        super().on_headers_complete()
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """See httptools."""
        self._framing -= len(body)
        if self.cycle.response_complete:
            self._unread += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """See httptools."""
        self._awaited = False
        self._in_time()
        super().on_message_complete()

    def _time(self) -> None:
        self._late = self.loop.call_later(self.patience_s, self.transport.abort)

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
