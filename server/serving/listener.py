"""Ports: runs ASGI applications until the process is told to stop, then lets what is under way end."""

import asyncio
import errno
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
import uvicorn
from starlette.types import ASGIApp

from server.serving.http_connection import HttpConnection

_LATE_S = 0.25


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        OSError: the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only on sockets that say they are TCP.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(2048)
    except OSError as fault:
        bound.close()
        if fault.errno == errno.EADDRINUSE:
            raise OSError(fault.errno, f"port {port} of {host} is taken by another program") from None
        raise
    return bound


def read_port(bound: socket.socket) -> int:
    """The port number of a bound socket."""
    number: int = bound.getsockname()[1]
    return number


class _Port(uvicorn.Server):
    """One listening port. Signals are the process's business, not each port's."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = anyio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See uvicorn; deliberately does nothing."""
        yield

    async def run_on(self, bound: socket.socket) -> None:
        """Serve until told to exit."""
        try:
            await self.serve([bound])
        finally:
            self.settled.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn; tells that the port is open."""
        await super().startup(sockets)
        self.settled.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn; but whoever knocked before the port closed is let in, and has a moment to say what it wants.

        Otherwise a connection that waits to be accepted, or whose request is still on its way, is reset: a failed call
        in front of which a load balancer cannot know that nothing happened.
        """
        last = [listener.dup() for listener in sockets or ()]
        for server in self.servers:
            server.close()
        for late in [connection for listener in last for connection in _accept_waiting(listener)]:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, late)
        await anyio.sleep(_LATE_S)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(
            config=self.config,  # type: ignore[call-arg]  # declared as any Protocol; uvicorn itself calls it so
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )


def _accept_waiting(listener: socket.socket) -> list[socket.socket]:
    """Accept all that is waiting and close the listener."""
    found = []
    with listener:
        listener.setblocking(False)
        while True:
            try:
                found.append(listener.accept()[0])
            except BlockingIOError:
                return found


@asynccontextmanager
async def listen(
    app: ASGIApp, bound: socket.socket, *, grace_s: float = 5.0, each: type[HttpConnection] = HttpConnection
) -> AsyncIterator[None]:
    """Serve `app` while the block runs; at its end no new connection is taken and what is under way may end.

    Parameters:
        bound: from `bind`; closed at the end.
        grace_s: seconds that requests under way may still take, >= 0.
        each: what every connection is handled by.

    Raises:
        RuntimeError: the application did not start.
    """
    config = uvicorn.Config(
        app,
        http=each,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        ws="none",
        timeout_graceful_shutdown=max(1, round(grace_s)),
        timeout_keep_alive=75,
    )
    port = _Port(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(port.run_on, bound)
        await port.settled.wait()
        if not port.started:
            raise RuntimeError("the application did not start; the log says why")
        try:
            yield
        finally:
            port.should_exit = True


async def wait_for_stop() -> None:
    """Wait for SIGTERM or SIGINT."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            return
