"""All that one port serves: Streamable HTTP, legacy SSE and the two health pages, behind one gate."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from server.credentials.parsing import PresentedCredentials
from server.observability.metrics import Sample
from server.pipeline.context import CallRequest, new_request_id
from server.pipeline.dispatcher import Dispatcher
from server.protocol.handlers import Context, build_request
from server.transports.event_lines import EventLines
from server.transports.fast_path import FastPath
from server.transports.http_guard import PRESENTED, Admit, HttpGuard
from server.transports.landing_page import LandingPage, is_wanted
from server.transports.oauth_door import OAuthDoor
from server.transports.sse import StreamLimits, Streams
from tools.refusals import ToolError

LOOPBACK = ("localhost", "localhost:*", "127.0.0.1", "127.0.0.1:*", "[::1]", "[::1]:*")
LOOPBACK_ORIGINS = tuple(f"http://{host}" for host in LOOPBACK)


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How the HTTP side behaves.

    Parameters:
        hosts, origins: the values of Host and Origin that are served.
        max_body: bytes of one request, > 0.
        caps: limits of SSE streams.
        refuse_at_transport: answer bad credentials with 403 before MCP rather than in the call.
        public_url: the base URL clients reach the server under; its path is the prefix of all paths.
        oauth: the OAuth door; None where there is none.
    """

    hosts: Sequence[str] = LOOPBACK
    origins: Sequence[str] = LOOPBACK_ORIGINS
    max_body: int = 1_000_000
    caps: StreamLimits = field(default_factory=StreamLimits)
    refuse_at_transport: bool = False
    public_url: str | None = None
    oauth: OAuthDoor | None = None


@dataclass(slots=True)
class Health:
    """Whether a load balancer should send traffic here.

    `ready` tells whether the server could judge a call now; `draining` is set once, before the server stops;
    `end_streams` ends what would never end by itself.
    """

    ready: Callable[[], bool]
    draining: bool = False
    end_streams: Callable[[], None] = lambda: None


def build_app(
    server: Server[Any], admit: Admit, door: HttpOptions, health: Health, calls: Dispatcher | None = None
) -> HttpGuard:
    """The whole HTTP side as one ASGI application.

    Parameters:
        calls: the spine, for the short way; without it every request takes the SDK's.
    """
    manager = StreamableHTTPSessionManager(server, stateless=True, max_request_body_size=door.max_body)
    endpoint: ASGIApp = EventLines(manager.handle_request)
    if calls is not None:
        endpoint = FastPath(endpoint, calls, server.server_info_stamp)
    streams = Streams(server, admit, door.caps, door.max_body)
    health.end_streams = streams.end
    if calls is not None:
        calls.telemetry.sample(Sample.STREAMS_OPEN, lambda: streams.count)

    landing = LandingPage(door.public_url)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with manager.run():
            yield

    inner = Starlette(
        routes=[
            Route("/", endpoint=landing.show, methods=["GET"]),
            Route("/sse", endpoint=EventLines(streams), methods=["GET"]),
            Mount("/messages/", app=streams.post),
            Route("/healthz", endpoint=_answer_alive),
            Route("/readyz", endpoint=_build_readiness(health)),
        ],
        lifespan=lifespan,
    )
    recorded = _record_refusal(calls) if calls is not None else admit
    return HttpGuard(
        _Front(PostOnly(endpoint, landing), inner),
        hosts=door.hosts,
        origins=door.origins,
        admit=recorded if door.refuse_at_transport else None,
        draining=lambda: health.draining,
        running=manager.run,
        prefix=urlsplit(door.public_url or "").path,
        oauth=None if door.oauth is None else (door.oauth, recorded),
    )


def _record_refusal(calls: Dispatcher) -> Admit:
    """Refuses before MCP, and leaves a line of it as of any other decision."""

    async def admit(who: PresentedCredentials) -> ToolError | None:
        return await calls.refusal(CallRequest(who, "http", new_request_id()), "http/request")

    return admit


def read_request(ctx: Context) -> CallRequest:
    """Who asks, from the HTTP request that carried this very message."""
    assert ctx.request is not None  # noqa: S101 - the SDK's promise for HTTP
    scope = ctx.request.scope
    return build_request(ctx, scope[PRESENTED], "http" if scope["path"] == "/mcp" else "sse")


class _Front:
    """Leads /mcp straight to its endpoint: what routing and its wrappers cost would be paid by every call."""

    def __init__(self, mcp: ASGIApp, rest: ASGIApp) -> None:
        self._mcp = mcp
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._mcp if scope.get("path") == "/mcp" else self._rest)(scope, receive, send)


class PostOnly:
    """Answers 405 to all but POST: a stateless server has nothing to say on a stream nobody asked on.

    A person's browser, which cannot post, is shown the landing page.
    """

    def __init__(self, app: ASGIApp, landing: LandingPage) -> None:
        self._app = app
        self._landing = landing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._app if scope["method"] == "POST" else await self._refuse(scope))(scope, receive, send)

    async def _refuse(self, scope: Scope) -> ASGIApp:
        request = Request(scope)
        if request.method in ("GET", "HEAD") and is_wanted(request.headers.get("accept", "").encode()):
            return await self._landing.show(request)
        return Response(status_code=405, headers={"allow": "POST"})


async def _answer_alive(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _build_readiness(health: Health) -> Callable[[Request], Any]:
    async def readiness(_: Request) -> Response:
        if health.draining:
            return JSONResponse({"status": "draining"}, 503)
        ready = health.ready()
        return JSONResponse({"status": "ready" if ready else "not ready"}, 200 if ready else 503)

    return readiness
