"""The outermost door of HTTP: host, origin, path and method are settled here, before MCP exists."""

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.credentials.parsing import PresentedCredentials
from server.pipeline.envelope import REFUSED
from server.transports.headers import name_owner, read_credentials
from tools.refusals import ToolError

PRESENTED = "nudj.presented"
"""The key of the ASGI scope under which a request's Presented travels to the handlers."""

_PATH = re.compile(rb"/t/([a-z0-9-]{1,63})/mcp")
_OPEN = frozenset({"/healthz", "/readyz"})

Admit = Callable[[PresentedCredentials], Awaitable[ToolError | None]]


class HttpGuard:
    """Pure ASGI, around everything else.

    Parameters:
        hosts: Host values served; `name:*` stands for any port.
        origins: Origin values served besides none at all.
        admit: for deployments that refuse at transport level: judges a request before MCP; None leaves it to the call.
        draining: true once the server is about to stop; connections are then closed after their answer.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str],
        origins: Iterable[str],
        admit: Admit | None,
        draining: Callable[[], bool],
    ) -> None:
        self._app = app
        self._hosts = _Allowed(hosts)
        self._origins = _Allowed(origins)
        self._admit = admit
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._draining():
            send = _close_after(send)
        answer = self._app
        if scope["type"] == "http" and scope["path"] not in _OPEN:
            scope["headers"] = _trim(scope["headers"])
            answer = await self._judge(scope)
        await answer(scope, receive, send)

    async def _judge(self, scope: Scope) -> ASGIApp:
        """Who answers this request; the scope then says who asks."""
        refused = self._refuse(scope)
        if refused is not None:
            return refused
        path = _PATH.fullmatch(scope["raw_path"])
        if path is not None:
            scope["path"], scope["raw_path"] = "/mcp", b"/mcp"
        who = scope[PRESENTED] = read_credentials(scope, path and path[1].decode())
        if scope["path"] != "/mcp":  # where streams are, each bound to its owner
            scope["user"] = AuthenticatedUser(AccessToken(token="", client_id=name_owner(who), scopes=[]))
        refusal = None if self._admit is None else await self._admit(who)
        return self._app if refusal is None else _build_forbidden(refusal)

    def _refuse(self, scope: Scope) -> Response | None:
        host = [value for name, value in scope["headers"] if name == b"host"]
        if len(host) != 1 or host[0] not in self._hosts:
            return Response("This Host is not served here.", 421)
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        if any(origin not in self._origins for origin in origins):
            return Response("This Origin may not call here.", 403)
        if scope["raw_path"].startswith(b"/t/") and not _PATH.fullmatch(scope["raw_path"]):
            return Response("The path form is /t/{subdomain}/mcp.", 404)
        return None


def _trim(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """White space around a value is no part of it (RFC 9110 section 5.5), but the parser leaves what trails."""
    return [(name, value.strip(b" \t")) for name, value in headers]


class _Allowed:
    def __init__(self, values: Iterable[str]) -> None:
        given = [value.encode() for value in values]
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
