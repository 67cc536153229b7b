"""Legacy HTTP+SSE, deprecated upstream but still in published client configs: the same handlers, bounded streams."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import anyio
from mcp.server import NotificationOptions, Server
from mcp.server.sse import SseServerTransport
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from server.credentials.parsing import PresentedCredentials
from server.transports.headers import name_owner
from server.transports.http_guard import PRESENTED, Admit
from server.transports.sse_backpressure import BoundedSender, StreamReader
from server.transports.sse_handshake import HandshakeReceiver


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How many streams may be open, and how long.

    Parameters:
        total: of all, > 0.
        each: with the same credentials, > 0.
        strangers: without a verified principal, >= 0; each of those ends after `stranger_s` seconds.
        idle_s: seconds without a message from the client after which a stream is closed.
        owed: messages and unread answers that may wait for the same credentials, > 0.
    """

    total: int = 1000
    each: int = 16
    strangers: int = 32
    stranger_s: float = 30.0
    idle_s: float = 1800.0
    owed: int = 64


class Streams:
    """`GET /sse` opens a stream and `POST /messages/` speaks on it, with the credential that opened it or none."""

    def __init__(self, server: Server[Any], admit: Admit, caps: StreamLimits, max_body: int) -> None:
        self._server = server
        self._admit = admit
        self._caps = caps
        self._sse = SseServerTransport("/messages/", max_request_body_size=max_body)
        self._open: Counter[str] = Counter()
        self._clients: dict[str, StreamReader] = {}
        self._scopes: set[anyio.CancelScope] = set()

    @property
    def count(self) -> int:
        """Streams open now."""
        return self._open.total()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`GET /sse`."""
        who: PresentedCredentials = scope[PRESENTED]
        stranger = await self._admit(who) is not None
        key = "stranger" if stranger else name_owner(who)
        cap = self._caps.strangers if stranger else self._caps.each
        if self._open[key] >= cap or self.count >= self._caps.total:
            refused = Response("Too many open streams; close one or use /mcp.", 503, {"retry-after": "30"})
            await refused(scope, receive, send)
            return
        with self._hold_place(key):
            await self._serve(scope, receive, send, self._caps.stranger_s if stranger else self._caps.idle_s)

    def end(self) -> None:
        """End every stream, as if its time were over."""
        for scope in self._scopes:
            scope.cancel()

    async def post(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`POST /messages/`; a message from the client keeps its streams from idling out.

        Whoever asks and does not read is not listened to until it does: each answer unread is memory.
        """
        client = self._clients.get(name_owner(scope[PRESENTED]), StreamReader())
        if client.owed >= self._caps.owed:
            refused = Response("Read the answers on the stream first.", 429, {"retry-after": "1"})
            await refused(scope, receive, send)
            return
        for patience in client.patience:
            patience.deadline = max(patience.deadline, anyio.current_time() + self._caps.idle_s)
        with client.one_more(), suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # the stream just ended
            await self._sse.handle_post_message(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, patience_s: float) -> None:
        ends = EndingStream(send)
        with anyio.move_on_after(patience_s) as patience, self._keep(scope, patience, patience_s) as client:
            async with self._sse.connect_sse(scope, receive, ends) as (read, write):
                options = self._server.create_initialization_options(NotificationOptions())
                await self._server.run(HandshakeReceiver(read), BoundedSender(write, client), options)
        await ends.finish()

    @contextmanager
    def _hold_place(self, key: str) -> Iterator[None]:
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    @contextmanager
    def _keep(self, scope: Scope, patience: anyio.CancelScope, patience_s: float) -> Iterator[StreamReader]:
        key = name_owner(scope[PRESENTED])
        client = self._clients.setdefault(key, StreamReader())
        client.streams += 1
        self._scopes.add(patience)
        if patience_s == self._caps.idle_s:  # a stranger's time is not prolonged
            client.patience.add(patience)
        try:
            yield client
        finally:
            self._scopes.discard(patience)
            client.patience.discard(patience)
            client.streams -= 1
            if not client.streams:
                del self._clients[key]


class EndingStream:
    """Sends on, and ends a response that was cut off, so that the client sees an end and not a broken connection."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun = self._ended = False

    async def __call__(self, message: Message) -> None:
        self._begun = True
        self._ended = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)

    async def finish(self) -> None:
        """End the response if it was begun and not ended."""
        if self._begun and not self._ended:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
