"""The maintained client's connections, held to more than it holds them to itself.

Nothing that was not asked for becomes an answer, nothing beyond the bounds is taken in, and a connection that the other
side is about to close is not used again.
"""

import asyncio
import re
import select
import time
from typing import Any

from aiohttp import ClientPayloadError
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawResponseMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import StreamReader

from server.http.idle import Idle
from server.http.port import Fault, HttpError

HEAD_CAP = 65_536
"""Bytes of a head with what comes before it, and of what frames a body: chunk sizes, extensions, trailers."""

MOST_AGE_S = 300.0
"""A connection older than this is not used again: addresses, certificates and balancers behind a name change."""

_KEEP_ALIVE = re.compile(r"(?:^|[,\s])timeout\s*=\s*(\d{1,6})", re.IGNORECASE)


class BoundedConnection(ResponseHandler):
    """aiohttp's end of one connection: carries one request at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, idle: Idle) -> None:
        super().__init__(loop=loop)
        self._idle = idle
        self._asked = self._headed = False
        self._received = self._cap = 0
        self._good_until = 0.0
        self._file = -1

    async def ask(self, request: bytes, cap: int) -> tuple[RawResponseMessage, bytes]:
        """Send a request; the head and the body that come back.

        Parameters:
            cap: bytes of body, > 0.

        Raises:
            HttpError: no whole answer came; the connection is worth nothing any more.
        """
        self._idle.discard(self)
        if self.transport is None or self.transport.is_closing():
            raise HttpError("dropped", sent=False)
        self._headed, self._received, self._cap = False, 0, cap
        self.set_response_params(
            read_until_eof=True, auto_decompress=False, max_line_size=HEAD_CAP, max_field_size=HEAD_CAP
        )
        self.transport.write(request)
        message, payload = await self.read()
        if message.code != 304 and int(message.headers.get("content-length", "0")) > cap:
            raise HttpError("too_large", sent=True)
        try:
            body = await payload.read()
        except ClientPayloadError:
            raise HttpError("dropped", sent=True) from None
        if len(body) > cap:
            raise HttpError("too_large", sent=True)
        self._asked = False
        self._idle.add(self)
        return message, body

    def set_response_params(self, **params: Any) -> None:
        """See aiohttp; from here on an answer is awaited, ours or that of a proxy to CONNECT."""
        self._asked = True
        super().set_response_params(**params)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._good_until = time.monotonic() + MOST_AGE_S
        if (socket := transport.get_extra_info("socket")) is not None:
            self._file = socket.fileno()

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio.Protocol; an answer that ends with its connection did not end if that was broken off."""
        self._idle.discard(self)
        if exc is not None:
            self.set_exception(exc)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol; empty when aiohttp goes on with what it has held back."""
        if not self._asked and data:
            self.abort()  # nobody asked
            return
        self._received += len(data)
        super().data_received(data)
        if self._received > HEAD_CAP + (self._cap if self._headed else 0):
            self._fail("too_large" if self._headed else "protocol", "headers without end")

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """See aiohttp; called with each head. A second answer to one request makes the connection worthless."""
        message = data[0]
        if message.code == 101:
            self._fail("protocol", "it changed to another protocol")
        elif message.code >= 200:
            if self._headed:
                self.abort()
                return
            self._headed = True
            if (said := message.headers.get("keep-alive")) and (found := _KEEP_ALIVE.search(said)) is not None:
                self._good_until = min(self._good_until, time.monotonic() + int(found[1]) - 1)
            super().feed_data(data, size)

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:  # noqa: ARG002 - as aiohttp has it
        """See aiohttp; whoever waits, for the head or for the body, hears it in the words of the port."""
        if not isinstance(exc, HttpError):
            unread = isinstance(exc, HttpProcessingError)
            exc = HttpError("protocol" if unread else "dropped", sent=True, why=_first_line(exc) if unread else "")
        if self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(exc)
        super().set_exception(exc)

    def is_connected(self) -> bool:
        """See aiohttp; for an unused connection also whether it may be used again."""
        return super().is_connected() and (self._asked or self._is_fit())

    def close(self) -> None:
        """See aiohttp; whoever leaves early does not wait for the other side's farewell."""
        self.abort()

    def _is_fit(self) -> bool:
        """Nothing has come that nobody asked for, not even in part or unread, and the end is not near."""
        if self.should_close or time.monotonic() > self._good_until:
            return False
        return (self._parser is None or self._parser.feed_eof() is None) and not _is_readable(self._file)

    def _fail(self, fault: Fault, why: str) -> None:
        self.set_exception(HttpError(fault, sent=True, why="" if fault == "too_large" else why))
        self.abort()


def _first_line(error: BaseException) -> str:
    """The parser's own words; what follows a colon or a line's end is what the other side had sent."""
    return re.split(r"[:\n]", str(getattr(error, "message", "")), maxsplit=1)[0].rstrip(". ")[:100].lower()


def _is_readable(file: int) -> bool:
    if file < 0:
        return False
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([file], [], [], 0)[0])
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(0))
