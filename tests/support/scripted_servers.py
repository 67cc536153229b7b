"""Servers on loopback ports that answer as told, bad manners included, and remember what reached them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Site:
    """A server on a loopback port that does what one function says, and remembers what reached it."""

    port: int = 0
    connections: int = 0
    heads: list[str] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, host: str = "127.0.0.1", path: str = "/") -> str:
        return f"http://{host}:{self.port}{path}"


@asynccontextmanager
async def site(
    *replies: bytes, then: Peer | None = None, stop_after: int = 10**9, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Site]:
    """Answers request after request with the replies in turn (the last one for ever), or hands over to `then`."""
    here = Site()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here.connections += 1
        try:
            answered = 0
            while head := await reader.readuntil(b"\r\n\r\n"):
                here.heads.append(head.decode())
                if then is not None:
                    await then(reader, writer)
                    break
                writer.write(replies[min(len(here.heads), len(replies)) - 1])
                await writer.drain()
                answered += 1
                if answered >= stop_after or "connection: close" in head.decode().lower():
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the peer, or the test itself, is over; asyncio would complain about a cancelled handler
        finally:
            here.closed.set()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()


def reply(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
