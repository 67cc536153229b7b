"""A road to the tenant that fails at one request, in the ways that roads do: before or after the tenant heard it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

FAULTS = ("drop before", "drop after", "silent after", "garbage after", "nothing after", "500 before", "503 after")
"""What may become of one request: `before` means that the tenant never heard it, `after` that it did."""

_GARBAGE = b'HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"id": "a'
_NOTHING = b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
_ERROR = b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@dataclass
class Road:
    """The proxy; `break_at(n, fault)` has the n-th write from now on fail, 0 none."""

    target: int
    port: int = 0
    nth: int = 0
    fault: str = ""
    late_s: float = 0.0
    writes: list[str] = field(default_factory=list)

    def break_at(self, nth: int, fault: str) -> None:
        """Count writes anew, and have the nth fail."""
        self.nth, self.fault = nth, fault
        self.writes.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the server's, a request at a time."""
        try:
            while True:
                request = await _read_message(reader)
                if not await self._answer(request, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the peer, or the test itself, is over; asyncio would complain about a cancelled handler
        finally:
            writer.close()

    async def _answer(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        writing = not request.startswith(b"GET ")
        if writing:
            self.writes.append(request.split(b" ", 2)[1].decode())
        fault = self.fault if writing and len(self.writes) == self.nth else ""
        if fault == "drop before":
            return False
        if fault == "500 before":
            writer.write(_ERROR % 500)
            return True
        answer = await self._ask(request)
        if writing and self.late_s:
            await asyncio.sleep(self.late_s)
        match fault:
            case "drop after":
                return False
            case "silent after":
                await asyncio.sleep(3)
                return False
            case "garbage after":
                answer = _GARBAGE
            case "nothing after":
                answer = _NOTHING
            case "503 after":
                answer = _ERROR % 503
        writer.write(answer)
        await writer.drain()
        return True

    async def _ask(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            writer.write(request)
            return await _read_message(reader)
        finally:
            writer.close()


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.partition(b":")[2]))
        if line == b"transfer-encoding: chunked":
            return head + await _read_chunks(reader)
    return head


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while not body.endswith(b"0\r\n\r\n"):
        body += await reader.readuntil(b"\r\n")
    return body


@asynccontextmanager
async def road(target: int) -> AsyncIterator[Road]:
    """A road to a port of this machine, open while the block runs."""
    here = Road(target)
    server = await asyncio.start_server(here.serve, "127.0.0.1", 0)
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()
