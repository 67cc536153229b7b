"""The handshake a stream may lack: event sources reconnect by themselves and do not shake hands again."""

import contextvars
from types import TracebackType
from typing import Self

import anyio
from mcp.shared._stream_protocols import ReadStream
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCNotification

Item = SessionMessage | Exception


class HandshakeReceiver:
    """A stream of a client's messages on which the handshake counts as done; a client that makes one still may.

    Nothing is lost by it: every call brings its own credentials, and what a client can do is only known after its own
    handshake, so until then it is asked nothing.
    """

    def __init__(self, inner: ReadStream[Item]) -> None:
        self._inner = inner
        self._begun = False

    @property
    def last_context(self) -> contextvars.Context | None:
        """Where the last message came from, for the SDK."""
        found: contextvars.Context | None = getattr(self._inner, "last_context", None)
        return found

    async def receive(self) -> Item:
        """The next message."""
        if self._begun:
            return await self._inner.receive()
        self._begun = True
        return SessionMessage(JSONRPCNotification(jsonrpc="2.0", method="notifications/initialized"))

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
