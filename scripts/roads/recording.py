"""A tap between a client and the server: every byte goes through unchanged, and each HTTP request is kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httptools


@dataclass
class Recorded:
    """One HTTP request as it came: names of headers in lower case, in their order."""

    method: str = ""
    target: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


class _Reader:
    """Callbacks of httptools for one connection."""

    def __init__(self, into: list[Recorded]) -> None:
        self._into = into
        self._now = Recorded()
        self.parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self._now = Recorded()

    def on_url(self, url: bytes) -> None:
        self._now.target += url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._now.headers.append((name.decode().lower(), value.decode()))

    def on_body(self, body: bytes) -> None:
        self._now.body += body

    def on_message_complete(self) -> None:
        self._now.method = self.parser.get_method().decode()
        self._into.append(self._now)


@dataclass
class Tap:
    """Where a client connects, and what it sent so far."""

    port: int
    requests: list[Recorded] = field(default_factory=list)


@asynccontextmanager
async def tap(to_port: int) -> AsyncIterator[Tap]:
    """A port that leads to `to_port` of this machine while the block runs."""
    seen = Tap(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", to_port)
        parser = _Reader(seen.requests).parser
        await asyncio.gather(
            _pass_on(reader, there_writer, parser), _pass_on(there_reader, writer, None), return_exceptions=True
        )

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        seen.port = server.sockets[0].getsockname()[1]
        yield seen


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, parser: "httptools.HttpRequestParser | None"
) -> None:
    try:
        while piece := await reader.read(65536):
            if parser is not None:
                parser.feed_data(piece)
            writer.write(piece)
            await writer.drain()
    finally:
        writer.close()
