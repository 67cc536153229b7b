"""The outermost door of HTTP: host, origin, path and method are settled here, before MCP exists."""

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.credentials.parsing import PresentedCredentials
from server.pipeline.envelope import REFUSED
from server.transports.cors import allow_origin
from server.transports.headers import name_owner, read_credentials
from server.transports.oauth_door import OAuthDoor
from tools.refusals import ToolError

PRESENTED = "nudj.presented"
"""The key of the ASGI scope under which a request's Presented travels to the handlers."""

_PATH = re.compile(rb"/t/([a-z0-9-]{1,63})/mcp/?")
_SLASHED = frozenset({b"/mcp/", b"/sse/"})
_HOST = re.compile(rb"(\[[0-9a-f:.]+\]|[^:]+?)\.?(?::(\d{1,5}|\*))?")
_DEFAULT_PORTS = frozenset({b"443", b"80"})
_OPEN = frozenset({"/healthz", "/readyz"})

Admit = Callable[[PresentedCredentials], Awaitable[ToolError | None]]


class HttpGuard:
    """Pure ASGI, around everything else.

    Parameters:
        hosts: Host values served; `name:*` stands for any port. Equal names are equal: case, a dot at the end and a
            default port make no difference (RFC 3986 section 3.2.2, RFC 9110 section 4.2.3).
        origins: Origin values served besides none at all; pages of these may also read the answers (CORS).
        admit: for deployments that refuse at transport level: judges a request before MCP; None leaves it to the call.
        draining: true once the server is about to stop; connections are then closed after their answer.
        running: what has to be entered while requests are answered, for a host that runs no lifespan of ours.
        prefix: the path under which clients see the server, such as `/nudj`; a proxy may leave it or take it off.
        oauth: the OAuth door, with what judges its requests; None where there is none.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str],
        origins: Iterable[str],
        admit: Admit | None,
        draining: Callable[[], bool],
        prefix: str = "",
        running: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        oauth: tuple[OAuthDoor, Admit] | None = None,
    ) -> None:
        self._app = app
        self._prefix = prefix
        self.running = running
        self._shared = allow_origin(self._answer)
        self._hosts = _Allowed(_simplify(host.encode()) for host in hosts)
        self._origins = _Allowed(origin.encode() for origin in origins)
        self._admit = admit
        self._draining = draining
        self._oauth = oauth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._draining():
            send = _close_after(send)
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._find_path(scope)
        scope["headers"] = _trim(scope["headers"])
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        described = self._oauth and self._oauth[0].describe(scope)
        if described is not None:  # public, and read by pages of any origin before they know whether they may come in
            await (self._refuse(scope) or described)(scope, receive, send)
        elif not origins or scope["path"] in _OPEN:
            await self._answer(scope, receive, send)
        elif all(origin in self._origins for origin in origins):
            await self._shared(scope, receive, send)
        else:
            refused = Response("This Origin may not call here.", 403, {"vary": "Origin"})
            await refused(scope, receive, send)

    def _find_path(self, scope: Scope) -> None:
        """The path below the prefix, whether a mount, or a proxy, left the prefix in it or took it off."""
        prefix = scope.get("root_path") or self._prefix
        raw = scope["raw_path"]
        if prefix and raw.startswith(prefix.encode() + b"/"):
            raw, scope["path"] = raw[len(prefix) :], scope["path"][len(prefix) :]
        if raw in _SLASHED:
            raw, scope["path"] = raw[:-1], scope["path"][:-1]
        scope["raw_path"], scope["root_path"] = raw, prefix

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._app if scope["path"] in _OPEN else await self._judge(scope)
        await answer(scope, receive, send)

    async def _judge(self, scope: Scope) -> ASGIApp:
        """Who answers this request; the scope then says who asks."""
        refused = self._refuse(scope)
        if refused is not None:
            return refused
        if self._oauth is not None:
            found = self._oauth[0].find_path(scope["raw_path"])
            if found is not None:
                return await self._judge_at_door(scope, *self._oauth, *found)
        path = _PATH.fullmatch(scope["raw_path"])
        if path is not None:
            scope["path"], scope["raw_path"] = "/mcp", b"/mcp"
        who = scope[PRESENTED] = read_credentials(scope, path and path[1].decode())
        if scope["path"] != "/mcp":  # where streams are, each bound to its owner
            scope["user"] = AuthenticatedUser(AccessToken(token="", client_id=name_owner(who), scopes=[]))
        refusal = None if self._admit is None else await self._admit(who)
        return self._app if refusal is None else _build_forbidden(refusal)

    async def _judge_at_door(
        self, scope: Scope, door: OAuthDoor, admit: Admit, resource: str, subdomain: str | None
    ) -> ASGIApp:
        """As at the static door, but that nobody comes in without a good token."""
        scope["path"], scope["raw_path"] = "/mcp", b"/mcp"
        who = scope[PRESENTED] = read_credentials(scope, subdomain, resource)
        refusal = await admit(who) if scope["method"] == "POST" else None
        if refusal is None:
            return self._app
        inside = self._app if self._admit is None else _build_forbidden(refusal)
        return door.refuse(resource, refusal) or inside

    def _refuse(self, scope: Scope) -> Response | None:
        host = [value for name, value in scope["headers"] if name == b"host"]
        if len(host) != 1 or _simplify(host[0]) not in self._hosts:
            return Response("This Host is not served here.", 421)
        if scope["raw_path"].startswith(b"/t/") and not _PATH.fullmatch(scope["raw_path"]):
            return Response("The path form is /t/{subdomain}/mcp.", 404)
        return None


def _trim(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """White space around a value is no part of it (RFC 9110 section 5.5), but the parser leaves what trails."""
    return [(name, value.strip(b" \t")) for name, value in headers]


def _simplify(host: bytes) -> bytes:
    """A Host as all its equals are written: lower case, no dot at the end of the name, no default port."""
    parts = _HOST.fullmatch(host.lower())
    if parts is None:
        return host
    name, port = parts.groups()
    return name + (b"" if port is None or port in _DEFAULT_PORTS else b":" + port)


class _Allowed:
    def __init__(self, values: Iterable[bytes]) -> None:
        given = list(values)
        self._exact = frozenset(value for value in given if not value.endswith(b":*"))
        self._any_port = tuple(
            re.compile(re.escape(value[:-1]) + rb"\d{1,5}") for value in given if value[-2:] == b":*"
        )

    def __contains__(self, value: bytes) -> bool:
        return value in self._exact or any(pattern.fullmatch(value) for pattern in self._any_port)


def _close_after(send: Send) -> Send:
    """While draining, every answer ends its connection, so that no request arrives on one about to be closed."""

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"connection"]
            message = {**message, "headers": [*headers, (b"connection", b"close")]}
        await send(message)

    return closing


def _build_forbidden(refusal: ToolError) -> Response:
    """403 without WWW-Authenticate: a 401 or a challenge would make clients start OAuth and hide the reason."""
    said: dict[str, Any] = refusal.error("")
    del said["request_id"]
    error = {"code": REFUSED, "message": f"{refusal.message} {refusal.hint}", "data": said}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error})
    return Response(body, 403, media_type="application/json")
