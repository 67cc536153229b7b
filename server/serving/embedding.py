"""The server inside somebody else's program: one ASGI application, or one client over standard input and output."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from server.assembly import deploy, load_files, read_process_credentials
from server.observability.audit import Sink, Stream
from server.pipeline.context import CallRequest
from server.protocol.handlers import Context, Protocol, build_request
from server.serving.catalogue import WHOLE
from server.serving.lifecycle import build_http
from server.settings import Settings
from server.transports import stdio


class EmbeddedApp:
    """The HTTP side as an ASGI application; it answers while its `lifespan` is entered.

    A host that mounts it enters the lifespan in its own, since frameworks do not run that of what they mount:
    `Starlette(routes=[Mount("/nudj", app=app)], lifespan=app.lifespan)`. Served by itself it runs its own.
    """

    def __init__(self, settings: Settings, audit: Sink) -> None:
        self._settings = settings
        self._files = load_files(settings)
        self._audit = audit
        self._app: ASGIApp | None = None

    @asynccontextmanager
    async def lifespan(self, _host: Starlette | None = None) -> AsyncIterator[None]:
        """Start everything: keys, tenants, state, audit; and end it in order.

        Raises:
            OSError, RuntimeError: something the settings name cannot be opened.
        """
        async with deploy(self._settings, self._files, WHOLE, self._audit) as deployment:
            app, _ = build_http(deployment)
            async with app.running():
                self._app = app
                try:
                    yield
                finally:
                    self._app = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await Router(lifespan=lambda _: self.lifespan()).lifespan(scope, receive, send)
        elif self._app is None:
            raise RuntimeError("the lifespan of nudj-mcp is not entered: see docs/embedding.md")
        else:
            await self._app(scope, receive, send)


def create_app(settings: Settings, *, audit: Sink | None = None) -> EmbeddedApp:
    """An ASGI application under these settings.

    Parameters:
        settings: as `nudj-mcp serve` reads them; those of ports, drain and logging have no meaning here.
        audit: where audit lines go when the settings name no file; standard output by default.

    Raises:
        SettingsError: a file that the settings name cannot be used.
    """
    return EmbeddedApp(settings, audit or Stream(sys.stdout))


async def run_stdio(settings: Settings, *, audit: Sink | None = None) -> None:
    """Serve one client over standard input and output until it closes them.

    Parameters:
        settings: as `nudj-mcp stdio` reads them; `token` and `api_domain` are the client's.
        audit: where audit lines go when the settings name no file; standard error by default.

    Raises:
        SettingsError: a file that the settings name cannot be used.
    """
    presented = read_process_credentials(settings)

    def ask(ctx: Context) -> CallRequest:
        return build_request(ctx, presented, "stdio")

    async with deploy(settings, load_files(settings), WHOLE, audit or Stream(sys.stderr)) as deployment:
        await stdio.serve(Protocol(deployment.calls, deployment.references, ask).server())
