"""Clients for volume and for bad manners: JSON-RPC spoken by hand over each wire, every byte that comes back kept."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from jsonschema import Draft202012Validator
from yarl import URL

from server.pipeline.envelope_schema import ENVELOPE
from tests.support.shared_stack import ROOT, World

MODERN, LEGACY = "2026-07-28", "2025-11-25"

Headers = Mapping[str, str] | Iterable[tuple[str, str]]

PUBLISHED = Draft202012Validator(ENVELOPE)
"""docs/envelope.schema.json: every answer that any test hears is held to it."""

_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer: the HTTP status (0 on other wires), every byte of it, and the JSON-RPC message in it."""

    status: int
    raw: bytes = field(repr=False)
    message: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def envelope(self) -> dict[str, Any]:
        """The structured content of a tool's answer, which its text must repeat."""
        result = self.message["result"]
        envelope: dict[str, Any] = result["structuredContent"]
        assert envelope == json.loads(result["content"][0]["text"])
        assert result["isError"] is not envelope["ok"]
        PUBLISHED.validate(envelope)
        return envelope

    @property
    def code(self) -> str:
        """The code of a refusal, `ok` for an answer, the number for a protocol error."""
        if "error" in self.message:
            return str(self.message["error"]["code"])
        envelope = self.envelope
        return "ok" if envelope["ok"] else str(envelope["error"]["code"])


class Http:
    """Speaks to `/mcp` of one server; each request says for itself who asks."""

    def __init__(self, session: aiohttp.ClientSession, origin: str) -> None:
        self._session = session
        self._origin = origin

    async def ask(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        headers: Headers,
        version: str = MODERN,
        id_: int | str = 1,
        path: str = "/mcp",
    ) -> Heard:
        """One request in either version of the protocol."""
        said = dict(params or {})
        pairs = [
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", version),
            *(headers.items() if isinstance(headers, Mapping) else headers),
        ]
        if version == MODERN:
            said["_meta"] = {**_META, **said.get("_meta", {})}
            pairs += [("mcp-method", method), *([("mcp-name", said["name"])] if "name" in said else [])]
        body = json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": said}).encode()
        return await self.post(path, body, pairs)

    async def call(self, tool: str, arguments: Mapping[str, Any], **how: Any) -> Heard:
        """tools/call."""
        return await self.ask("tools/call", {"name": tool, "arguments": dict(arguments)}, **how)

    async def post(self, path: str, body: bytes, headers: Iterable[tuple[str, str]]) -> Heard:
        """Any bytes to any path."""
        url = URL(self._origin + path, encoded=True)
        async with self._session.post(url, data=body, headers=list(headers), allow_redirects=False) as answer:
            raw = await answer.read()
            return Heard(answer.status, raw, _last(raw), dict(answer.headers))


@asynccontextmanager
async def speaking(origin: str) -> AsyncIterator[Http]:
    """A speaker for `/mcp`."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session:
        yield Http(session, origin)


def _last(raw: bytes) -> Mapping[str, Any]:
    """The last JSON object of a body, be it JSON or a stream of events."""
    events = [line[5:] for line in raw.splitlines() if line.startswith(b"data:")]
    try:
        said = json.loads(events[-1] if events else raw)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


class Wire:
    """A connection that answers out of order: messages are matched to requests by id, all bytes are kept."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self._waiting: dict[int | str, asyncio.Future[Heard]] = {}
        self._initialised = False

    async def ask(
        self, method: str, params: Mapping[str, Any] | None = None, *, id_: int | str = 1, headers: Headers = ()
    ) -> Heard:
        """One request; the connection is initialised first, as every legacy client does."""
        if not self._initialised:
            self._initialised = True
            hello = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}
            await self._request("initialize", hello, "hello", headers)
            await self.send({"jsonrpc": "2.0", "method": "notifications/initialized"}, headers)
        return await self._request(method, params or {}, id_, headers)

    async def call(
        self, tool: str, arguments: Mapping[str, Any], *, id_: int | str = 1, headers: Headers = ()
    ) -> Heard:
        """tools/call."""
        return await self.ask("tools/call", {"name": tool, "arguments": dict(arguments)}, id_=id_, headers=headers)

    async def _request(self, method: str, params: Mapping[str, Any], id_: int | str, headers: Headers) -> Heard:
        answer: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()
        self._waiting[id_] = answer
        try:
            refused = await self.send({"jsonrpc": "2.0", "id": id_, "method": method, "params": params}, headers)
            return await asyncio.wait_for(answer, 30) if refused is None else refused
        finally:
            self._waiting.pop(id_, None)

    async def send(self, message: Mapping[str, Any], headers: Headers) -> Heard | None:
        """Send one message; an answer here means that it was not taken."""
        raise NotImplementedError

    def heard(self, raw: bytes) -> None:
        """Take one message from the other side."""
        self.raw.append(raw)
        message = json.loads(raw)
        waiting = self._waiting.get(message.get("id")) if "method" not in message else None
        if waiting is not None and not waiting.done():
            waiting.set_result(Heard(0, raw, message))


class Stream(Wire):
    """`/sse` and `/messages/`."""

    def __init__(self, session: aiohttp.ClientSession, origin: str, headers: Headers) -> None:
        super().__init__()
        self._session, self._origin, self._headers = session, origin, headers
        self.endpoint = ""
        self.ended = asyncio.Event()

    async def listen(self, answer: aiohttp.ClientResponse, opened: asyncio.Event) -> None:
        """Read events until the stream ends."""
        event = ""
        try:
            async for line in answer.content:
                if line.startswith(b"event:"):
                    event = line[6:].strip().decode()
                elif line.startswith(b"data:") and event == "endpoint":
                    self.endpoint = line[5:].strip().decode()
                    opened.set()
                elif line.startswith(b"data:"):
                    self.heard(line[5:].strip())
        finally:
            self.ended.set()

    async def send(self, message: Mapping[str, Any], headers: Headers) -> Heard | None:
        """POST it; anything but 202 is the answer."""
        said = headers or self._headers
        pairs = [*(said.items() if isinstance(said, Mapping) else said), ("content-type", "application/json")]
        url = URL(self._origin + self.endpoint, encoded=True)
        async with self._session.post(url, data=json.dumps(message), headers=pairs) as answer:
            raw = await answer.read()
            return None if answer.status == 202 else Heard(answer.status, raw, _last(raw))


@asynccontextmanager
async def streaming(origin: str, headers: Headers) -> AsyncIterator[Stream]:
    """An open stream."""
    patience = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(timeout=patience) as session:
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        async with session.get(f"{origin}/sse", headers=pairs) as answer:
            assert answer.status == 200, await answer.read()
            stream, opened = Stream(session, origin, headers), asyncio.Event()
            listening = asyncio.create_task(stream.listen(answer, opened))
            await asyncio.wait_for(opened.wait(), 10)
            try:
                yield stream
            finally:
                listening.cancel()
                await asyncio.wait([listening])


class Child(Wire):
    """`nudj-mcp stdio` as a child process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        super().__init__()
        self._process = process

    async def listen(self) -> None:
        """Read lines until the child closes its output."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.heard(line)

    async def send(self, message: Mapping[str, Any], headers: Headers) -> None:
        """One line."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        await self._process.stdin.drain()


@asynccontextmanager
async def child(world: World, headers: Mapping[str, str]) -> AsyncIterator[Child]:
    """A child that is this caller."""
    with (world.folder / "child-stderr.log").open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server",
            "stdio",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env=world.child_environment(headers),
            cwd=ROOT,
            limit=4_000_000,
        )
    here = Child(process)
    listening = asyncio.create_task(here.listen())
    try:
        yield here
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 20)
        await listening
