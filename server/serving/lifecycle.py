"""A server with its ports: one deployment served over HTTP, from readiness to the last answer of a drain."""

import gc
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio

from server.assembly import Deployment
from server.protocol.handlers import Protocol
from server.serving.listener import bind, listen, read_port, wait_for_stop
from server.settings import Settings
from server.transports.http import LOOPBACK, LOOPBACK_ORIGINS, Health, HttpOptions, build_app, read_request
from server.transports.http_guard import HttpGuard
from server.transports.oauth_door import OAuthDoor
from server.transports.sse import StreamLimits

_WRITTEN_S = 0.2
"""An answer that was found is on its way within this."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The bound sockets of one server; bound before anything runs, so that a taken port is told at once."""

    mcp: socket.socket
    metrics: socket.socket | None

    @property
    def number(self) -> int:
        """The port number of the MCP side."""
        return read_port(self.mcp)


@contextmanager
def bind_ports(settings: Settings) -> Iterator[Ports]:
    """The sockets these settings ask for.

    Raises:
        OSError: an address cannot be bound.
    """
    with ExitStack() as stack:
        mcp = stack.enter_context(bind(settings.host, settings.port))
        metrics = settings.metrics_port
        yield Ports(mcp, None if metrics is None else stack.enter_context(bind(settings.metrics_host, metrics)))


def build_http(deployment: Deployment) -> tuple[HttpGuard, Health]:
    """The HTTP side of a deployment, and what a load balancer is told of it."""
    health = Health(deployment.ready)
    server = Protocol(deployment.calls, deployment.references, read_request).server()
    options = build_options(deployment.settings)
    return build_app(server, deployment.gate.refusal, options, health, deployment.calls), health


@asynccontextmanager
async def serve_http(deployment: Deployment, ports: Ports) -> AsyncIterator[Health]:
    """Serve a deployment on bound sockets while the block runs."""
    settings = deployment.settings
    whole, health = build_http(deployment)
    grace_s = max(0.0, settings.drain_s - settings.drain_notice_s)
    async with anyio.create_task_group() as tasks, listen(whole, ports.mcp, grace_s=grace_s):
        if deployment.metrics is None or ports.metrics is None:
            yield health
        else:
            async with listen(deployment.metrics, ports.metrics):
                yield health
        tasks.start_soon(_end_streams, deployment, health, grace_s)


async def _end_streams(deployment: Deployment, health: Health, grace_s: float) -> None:
    """Streams end when no call on them is under way any more, a little before everything has to."""
    with anyio.move_on_after(grace_s - _WRITTEN_S):
        while deployment.calls.under_way["sse"]:  # noqa: ASYNC110 - a count is cheaper to keep at each call than an event
            await anyio.sleep(_WRITTEN_S)
    await anyio.sleep(_WRITTEN_S)
    health.end_streams()


async def wait_until_stopped(health: Health, settings: Settings) -> None:
    """Wait for the signal to stop, then let load balancers notice before the port closes."""
    _settle()
    await wait_for_stop()
    health.draining = True
    await anyio.sleep(settings.drain_notice_s)


def _settle() -> None:
    """What a started server is made of lives as long as the process: the garbage collector need not walk it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def build_options(settings: Settings) -> HttpOptions:
    """How the HTTP side behaves under these settings."""
    return HttpOptions(
        hosts=(*(settings.allowed_hosts or LOOPBACK), *_read_host(settings.public_url)),
        origins=settings.allowed_origins or LOOPBACK_ORIGINS,
        max_body=settings.max_body_bytes,
        caps=StreamLimits(total=settings.sse_streams),
        refuse_at_transport=settings.auth_refuse_at == "transport",
        public_url=settings.public_url,
        oauth=_build_door(settings),
    )


def _build_door(settings: Settings) -> OAuthDoor | None:
    if settings.oauth_issuer is None or settings.public_url is None:
        return None
    return OAuthDoor(settings.public_url, settings.oauth_issuer)


def _read_host(url: str | None) -> tuple[str, ...]:
    return () if url is None else (urlsplit(url).netloc,)
