"""A server with its ports: one deployment served over HTTP, from readiness to the last answer of a drain."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from server.deployment import Deployment
from server.protocol import Protocol
from server.serving import bind, listening, told_to_stop
from server.settings import Settings
from server.transports.http import LOOPBACK, LOOPBACK_ORIGINS, Door, Health, app, asks
from server.transports.sse import Caps


@asynccontextmanager
async def over_http(deployment: Deployment, bound: socket.socket) -> AsyncIterator[Health]:
    """Serve a deployment on a bound socket, and its metrics on theirs, while the block runs."""
    settings = deployment.settings
    health = Health(deployment.ready)
    server = Protocol(deployment.calls, asks).server()
    whole = app(server, deployment.gate.refusal, door(settings), health)
    async with listening(whole, bound, grace_s=settings.drain_s):
        if deployment.metrics is None:
            yield health
            return
        async with listening(deployment.metrics, bind(settings.metrics_host, settings.metrics_port or 0)):
            yield health


async def until_stopped(health: Health, settings: Settings) -> None:
    """Wait for the signal to stop, then let load balancers notice before the port closes."""
    await told_to_stop()
    health.draining = True
    await anyio.sleep(settings.drain_notice_s)


def door(settings: Settings) -> Door:
    """How the HTTP side behaves under these settings."""
    return Door(
        hosts=settings.allowed_hosts or LOOPBACK,
        origins=settings.allowed_origins or LOOPBACK_ORIGINS,
        max_body=settings.max_body_bytes,
        caps=Caps(total=settings.sse_streams),
        refuse_at_transport=settings.auth_refuse_at == "transport",
    )
