"""The few words of MCP a diagnosis needs, spoken as a client speaks them: over HTTP, or to a process it starts."""

import json
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, BinaryIO, Protocol

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from server.http.port import HttpResponse, Send

VERSION = "2025-11-25"
_HELLO = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "nudj-mcp-doctor", "version": "1"}}
_LINE = 16_000_000


class Unanswered(Exception):
    """HTTP said something that is not an answer to the request."""

    def __init__(self, answered: HttpResponse) -> None:
        super().__init__(str(answered.status))
        self.answered = answered


class Silent(Exception):
    """The process ended, or said what is not MCP; the text is the end of its standard error."""


class ProtocolError(Exception):
    """A JSON-RPC error."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(str(error.get("message")))
        self.data = error.get("data")


class McpClient(Protocol):
    """A connection on which one request is asked at a time."""

    async def ask(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The result.

        Raises:
            Unanswered, Silent, ProtocolError, HttpError: there is none.
        """
        ...


async def greet(speech: McpClient) -> Mapping[str, Any]:
    """The handshake; raises as `McpClient.ask`."""
    return await speech.ask("initialize", _HELLO)


class HttpClient:
    """Streamable HTTP, one POST a request."""

    def __init__(self, send: Send, url: str, headers: Sequence[tuple[str, str]], timeout_s: float = 20.0) -> None:
        self._send = send
        self._url = url
        self._headers = {
            **dict(headers),
            "accept": "application/json, text/event-stream",
            "content-type": "application/json",
        }
        self._timeout_s = timeout_s
        self._ids = count(1)

    async def ask(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """See Speech."""
        request = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        body = json.dumps(request).encode()
        answered = await self._send("POST", self._url, headers=self._headers, body=body, timeout_s=self._timeout_s)
        if answered.status != 200:
            raise Unanswered(answered)
        self._headers["mcp-protocol-version"] = VERSION
        if (session := answered.headers.get("mcp-session-id")) is not None:
            self._headers["mcp-session-id"] = session
        return _read_result(_read_message(answered))


def _read_message(answered: HttpResponse) -> Mapping[str, Any]:
    text = answered.body.decode("utf-8", "replace")
    if answered.headers.get("content-type", "").startswith("text/event-stream"):
        lines = [line[5:] for line in text.splitlines() if line.startswith("data:") and line[5:].strip()]
        text = lines[-1] if lines else ""
    try:
        message = json.loads(text)
    except ValueError:
        raise Unanswered(answered) from None
    if not isinstance(message, dict):
        raise Unanswered(answered)
    return message


def _read_result(message: Mapping[str, Any]) -> Mapping[str, Any]:
    if "error" in message:
        raise ProtocolError(message["error"])
    result: Mapping[str, Any] = message.get("result", {})
    return result


class _PipeClient:
    def __init__(self, process: anyio.abc.Process, errors: BinaryIO) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("the process has no pipes")
        self._process = process
        self._to = process.stdin
        self._from = BufferedByteReceiveStream(process.stdout)
        self._errors = errors
        self._ids = count(1)

    async def ask(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        number = next(self._ids)
        try:
            await self._say({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
            while True:
                message = json.loads(await self._from.receive_until(b"\n", _LINE))
                if message.get("id") == number:
                    break
            if method == "initialize":
                await self._say({"jsonrpc": "2.0", "method": "notifications/initialized"})
        except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError):
            with anyio.move_on_after(1):
                await self._process.wait()  # what it last says on standard error comes before its end
            raise Silent(self._last_words()) from None
        except (ValueError, AttributeError):
            raise Silent("Its standard output is not MCP.") from None
        return _read_result(message)

    async def _say(self, message: Mapping[str, Any]) -> None:
        await self._to.send(json.dumps(message).encode() + b"\n")

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace").strip()[-1000:]


@asynccontextmanager
async def start_server(command: Sequence[str], environment: Mapping[str, str]) -> AsyncIterator[McpClient]:
    """Start a stdio server as a client does; it is ended with the block.

    Raises:
        OSError: the command cannot be started.
    """
    with tempfile.TemporaryFile() as errors:
        async with await anyio.open_process(list(command), env=dict(environment), stderr=errors) as process:
            try:
                yield _PipeClient(process, errors)
            finally:
                if process.returncode is None:
                    process.terminate()
