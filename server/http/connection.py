"""One HTTP/1.1 connection: a request leaves as bytes, its whole answer comes back, and nothing more may."""

import asyncio
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

import httptools

Fault = Literal["refused", "timeout", "dropped", "too_large", "tls", "protocol"]

_HEAD_CAP = 65_536
_BODILESS = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole HTTP answer. Header names are lower case; redirects are answers like any other."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NetError(Exception):
    """No whole answer came.

    Parameters:
        fault: what happened: `refused` (no connection, the request was never sent), `timeout`, `dropped` (closed
            before the whole answer), `too_large` (over the cap), `tls`, `protocol` (not HTTP).
        sent: whether the request may have reached the other side.
    """

    def __init__(self, fault: Fault, *, sent: bool) -> None:
        super().__init__(fault)
        self.fault = fault
        self.sent = sent


class Connection(asyncio.Protocol):
    """Carries one request at a time; `usable` while another one may follow.

    Framing is RFC 9112 as llhttp reads it; interim answers (1xx) are passed over.
    """

    def __init__(self) -> None:
        self.usable = False
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answered] | None = None
        self._cap = self._received = 0
        self._unfold: zlib._Decompress | None
        self._start()

    async def ask(self, request: bytes, *, cap: int, timeout_s: float) -> Answered:
        """Send a request and wait for the answer; a connection that is left early is closed.

        Parameters:
            cap: bytes of (decoded) body, > 0.
            timeout_s: seconds for the whole answer.

        Raises:
            NetError: no whole answer came.
        """
        if self._transport is None or not self.usable:
            raise NetError("dropped", sent=False)
        self._cap, self._received = cap, 0
        answer: asyncio.Future[Answered] = self._loop.create_future()
        self._answer = answer
        late = self._loop.call_later(timeout_s, self._fail, "timeout")
        self._transport.write(request)
        try:
            return await answer
        finally:
            late.cancel()
            self._answer = None
            if answer.cancelled():
                self.close()
            del answer  # whose fault's traceback leads back here: a ring that only the garbage collector would open

    def close(self) -> None:
        """Drop the connection, whatever is under way on it."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)
        self.usable = True

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol; for an answer without a length, this is its end."""
        if self._until_closed and exc is None:
            self.on_message_complete()
        self._fail("dropped")

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._answer is None:
            self.close()  # nobody asked
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail("protocol")
        # What frames a body (chunk sizes, trailers, compression that comes to nothing) is bounded with it.
        if self._received > _HEAD_CAP + (self._cap if self._in_body else 0) and not self._answer.done():
            self._fail("too_large" if self._in_body else "protocol")

    def on_message_begin(self) -> None:
        """See httptools; a second answer to one request makes the connection worthless."""
        if self._answer is None or self._answer.done():
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")
        if len(value) > _HEAD_CAP:
            self._fail("protocol")

    def on_headers_complete(self) -> None:
        """See httptools."""
        self._in_body = True
        coding, length = self._headers.get("content-encoding", "identity").lower(), self._headers.get("content-length")
        if coding == "gzip":
            self._unfold = zlib.decompressobj(zlib.MAX_WBITS | 16)
        elif coding != "identity":
            self._fail("protocol")
        if length is not None and int(length) > self._cap:
            self._fail("too_large")
        framed = length is not None or "transfer-encoding" in self._headers
        self._until_closed = not framed and self._parser.get_status_code() not in _BODILESS

    def on_body(self, data: bytes) -> None:
        """See httptools."""
        if self._unfold is not None:
            try:
                data = self._unfold.decompress(data, self._cap - self._size + 1)
            except zlib.error:
                self._fail("protocol")
            if self._unfold.unused_data:
                self._fail("protocol")
        self._size += len(data)
        if self._size > self._cap:
            self._fail("too_large")
        else:
            self._body.append(data)

    def on_message_complete(self) -> None:
        """See httptools."""
        status = self._parser.get_status_code()
        if status >= 200 and self._answer is not None and not self._answer.done():
            if self._unfold is not None and self._size and not self._unfold.eof:
                self._fail("protocol")
                return
            self.usable = self._parser.should_keep_alive()
            self._answer.set_result(Answered(status, self._headers, b"".join(self._body)))
        self._start()

    def _start(self) -> None:
        """Nothing of an answer has come yet."""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0
        self._in_body = self._until_closed = False
        self._unfold = None

    def _fail(self, fault: Fault) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NetError(fault, sent=True))
        self.close()
