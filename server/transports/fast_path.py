"""The short way for the common request: a well-formed, stateless tools/call or tools/list, answered without the SDK.

Same spine, same bytes of JSON, a fraction of the cost. Whatever is not exactly the common form takes the long way, and
a test sends both ways the same requests and compares what comes back.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import mcp.types as t
import pydantic_core
from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from server.pipeline import envelope
from server.pipeline.context import CallRequest, new_request_id
from server.pipeline.dispatcher import Dispatcher, Listing
from server.protocol.handlers import LIST_TTL_MS, read_trace_context
from server.transports.disconnect import cancel_when_gone, replay
from server.transports.event_lines import escape_lines
from server.transports.http_guard import PRESENTED
from server.transports.tool_list_cache import ToolListCache
from tools.spec import Effect

_LEGACY = frozenset({b"2025-06-18", b"2025-11-25"})
_MODERN = b"2026-07-28"
_ACCEPT = frozenset({b"application/json, text/event-stream", b"text/event-stream, application/json"})
_VERSION = b"mcp-protocol-version"
_ROUTING = (_VERSION, b"mcp-method", b"mcp-name", b"content-type", b"accept", b"traceparent")
_BODY = 64_000
_LEVELS = get_args(t.LoggingLevel)
_LONG_NUMBER = re.compile(rb"(?<!\d)\d{300}")

_JSON = [(b"content-type", b"application/json")]
_STREAM = [
    (b"cache-control", b"no-cache, no-transform"),
    (b"connection", b"keep-alive"),
    (b"content-type", b"text/event-stream"),
    (b"x-accel-buffering", b"no"),
]

Headers = Mapping[bytes, bytes]
Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CommonRequest:
    """A request of the common form; `tool` is None for tools/list."""

    id: int | str
    tool: str | None
    arguments: Params
    modern: bool
    carrier: Mapping[str, str]


class FastPath:
    """Pure ASGI in front of the SDK's endpoint.

    Parameters:
        app: the long way.
        stamp: what the SDK puts into `_meta` of every result of the current protocol.
    """

    def __init__(self, app: ASGIApp, calls: Dispatcher, stamp: Mapping[str, Any]) -> None:
        self._app = app
        self._calls = calls
        self._modern = f'"resultType":"complete","_meta":{envelope.compact({t.SERVER_INFO_META_KEY: stamp})}'
        self._short = frozenset(name for name, tool in calls.catalogue.items() if not tool.progress)
        self._destroying = frozenset(n for n, tool in calls.catalogue.items() if tool.effect is Effect.DESTROY)
        self._views = ToolListCache()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first = await receive()
        common = None
        if first["type"] == "http.request" and not first.get("more_body") and len(first["body"]) <= _BODY:
            common = self._read(scope, first["body"])
        if common is None:
            await self._app(scope, replay(first, receive), send)
            return
        with cancel_when_gone(receive):
            result = await self._answer(scope, common)
            await _send(send, common, result)

    async def _answer(self, scope: Scope, common: CommonRequest) -> str:
        asked = CallRequest(scope[PRESENTED], "http", new_request_id(), common.carrier)
        if common.tool is None:
            return self._list(await self._calls.list_tools(asked), modern=common.modern)
        envelope = await self._calls.call(asked, common.tool, common.arguments)
        text = pydantic_core.to_json(envelope.text).decode()
        failed = "false" if envelope.refusal is None else "true"
        tail = f",{self._modern}" if common.modern else ""
        said = f'"isError":{failed},"structuredContent":{envelope.text}{tail}'
        return f'{{"content":[{{"text":{text},"type":"text"}}],{said}}}'

    def _list(self, listing: Listing, *, modern: bool) -> str:
        ttl = LIST_TTL_MS if listing.lasting else 0
        tail = f',"ttlMs":{ttl},"cacheScope":"private",{self._modern}' if modern else ""
        return f'{{"tools":{self._views.json(listing)}{tail}}}'

    def _read(self, scope: Scope, body: bytes) -> CommonRequest | None:
        """The request, if it is of the common form."""
        headers = _read_routing(scope)
        if headers is None or _LONG_NUMBER.search(body):
            return None
        try:
            message = pydantic_core.from_json(body, allow_inf_nan=False)
        except ValueError:
            return None
        if not isinstance(message, dict) or not message.keys() <= {"jsonrpc", "id", "method", "params"}:
            return None
        id_, method, params = message.get("id"), message.get("method"), message.get("params", {})
        if message.get("jsonrpc") != "2.0" or not isinstance(id_, int | str) or isinstance(id_, bool):
            return None
        if not isinstance(method, str) or not isinstance(params, dict):
            return None
        meta = params.get("_meta", {})
        if not isinstance(meta, dict) or not _is_usual(meta):
            return None
        if not self._asks_for_what_is_short(method, params) or not self._agrees(headers, method, params, meta):
            return None
        modern = headers[_VERSION] == _MODERN
        carrier = read_trace_context(headers.get(b"traceparent"), meta)
        return CommonRequest(id_, params.get("name"), params.get("arguments", {}), modern, carrier)

    def _asks_for_what_is_short(self, method: Any, params: Params) -> bool:
        """tools/list, or a tool that has no progress to tell: long answers need the SDK's keep-alive."""
        if method == "tools/list":
            return params.keys() <= {"_meta"}
        usual = params.keys() <= {"name", "arguments", "_meta"} and isinstance(params.get("arguments", {}), dict)
        name = params.get("name")
        return method == "tools/call" and usual and isinstance(name, str) and name in self._short

    def _agrees(self, headers: Headers, method: str, params: Params, meta: Params) -> bool:
        """Whether headers and body say the same and the client's description of itself is sound."""
        version = headers.get(_VERSION, b"")
        if version in _LEGACY:
            return True
        name = params.get("name")
        if version != _MODERN or meta.get(t.PROTOCOL_VERSION_META_KEY) != _MODERN.decode():
            return False
        if headers.get(b"mcp-method") != method.encode() or headers.get(b"mcp-name", b"") != (name or "").encode():
            return False
        try:
            can = t.ClientCapabilities.model_validate(meta.get(t.CLIENT_CAPABILITIES_META_KEY))
            if t.CLIENT_INFO_META_KEY in meta:
                t.Implementation.model_validate(meta[t.CLIENT_INFO_META_KEY])
        except ValidationError:
            return False
        return can.elicitation is None or name not in self._destroying


def _is_usual(meta: Params) -> bool:
    """Whether members that ask for more have values they may have; a short call has no progress and no log to tell."""
    token, level = meta.get("progressToken", 0), meta.get(t.LOG_LEVEL_META_KEY, "info")
    return isinstance(token, int | str) and not isinstance(token, bool) and level in _LEVELS


def _read_routing(scope: Scope) -> dict[bytes, bytes] | None:
    """The headers that decide the way, if none of them is doubled or unusual."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _ROUTING:
            if name in found:
                return None
            found[name] = value
        elif name.startswith(b"mcp-param-"):
            return None
    usual = found.get(b"content-type") == b"application/json" and found.get(b"accept") in _ACCEPT
    return found if usual else None


async def _send(send: Send, common: CommonRequest, result: str) -> None:
    """JSON to clients of the current protocol, one server-sent event to older ones, as the SDK does."""
    said = f'{{"jsonrpc":"2.0","id":{json.dumps(common.id)},"result":{result}}}'
    if common.modern:
        body = said.encode()
        headers = [(b"content-length", str(len(body)).encode()), *_JSON]
    else:
        body, headers = escape_lines(f"event: message\r\ndata: {said}\r\n\r\n".encode()), _STREAM
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
