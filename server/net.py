"""The one way out: HTTP requests to tenants, key sets and feeds, whose cost does not grow with the number of hosts.

One pool, keyed by the scheme, host and port of the URL, so that organisations never share a connection even where
they share an address. It keeps no cookies, follows no redirects, reads no proxy environment and sends nothing twice.
"""

import asyncio
import ipaddress
import ssl
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

if sys.platform != "win32":
    import resource

from server.connection import Answered, Connection, NetError
from server.lookups import Lookups
from server.origin import Origin, parted, written

__all__ = ["Answered", "Net", "NetError", "Route", "Routes", "Send"]


class Send(Protocol):
    """One request out. `Net.send` is the real one; a test hands over an ASGI app behind the same port."""

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = {},
        body: bytes | None = None,
        timeout_s: float = 10.0,
        cap: int = 8_000_000,
    ) -> Answered:
        """Send and read the whole answer.

        Parameters:
            timeout_s: seconds for everything, > 0.
            cap: bytes of (decoded) body, > 0.

        Raises:
            NetError: no whole answer came.
        """
        ...


@dataclass(frozen=True, slots=True)
class Route:
    """How one host is reached when not the ordinary way.

    Parameters:
        connect_to: `address:port` to dial; URL, Host header, SNI and pool key stay those of the URL. A host that is
            an IP address is always dialled as it stands.
        trust: CA file that alone may vouch for this host.
    """

    connect_to: str | None = None
    trust: Path | None = None


Routes = Callable[[str, int], Route | None]
"""From host and port of a URL to its route; asked at each request, so that a reloaded directory takes effect."""


@dataclass(slots=True)
class _Host:
    """The connections of one origin: the unused ones with the time since when, and how many calls use or await one."""

    turns: asyncio.Semaphore
    unused: list[tuple[float, Connection]] = field(default_factory=list)
    users: int = 0

    def last_used(self, since: float) -> Connection | None:
        """An unused connection that was used at or after a moment."""
        while self.unused:
            at, connection = self.unused.pop()
            if connection.usable and at >= since:
                return connection
            connection.close()
        return None


class Net:
    """The real `Send`. Use as `async with Net(...) as net`; one for the whole process.

    Parameters:
        routes: finds the route of a host and port; None means the ordinary way.
        total, per_host: connections in use at once, > 0; a request waits for a free one within its own time.
        idle_s: seconds an unused connection is kept.
        idle_hosts: hosts whose connections are kept, the others' being closed after the answer; None means half as
            many as the process may open files.
        connect_s: seconds for a free connection, look-up, dial and TLS together.
    """

    def __init__(
        self,
        routes: Routes = lambda _host, _port: None,
        *,
        total: int = 2048,
        per_host: int = 64,
        idle_s: float = 15.0,
        idle_hosts: int | None = None,
        connect_s: float = 3.0,
    ) -> None:
        self._routes = routes
        self._turns = asyncio.Semaphore(total)
        self._per_host = per_host
        self._idle_s = idle_s
        self._connect_s = connect_s
        self._kept = _Kept(_half_the_files() if idle_hosts is None else idle_hosts, idle_s)
        self._contexts: dict[Path | None, ssl.SSLContext] = {}
        self._hosts: dict[Origin, _Host] = {}
        self._lookups = Lookups()
        self._sweeper: asyncio.TimerHandle | None = None
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        self._lookups.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for host in self._hosts.values():
            host.last_used(float("inf"))

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = {},
        body: bytes | None = None,
        timeout_s: float = 10.0,
        cap: int = 8_000_000,
    ) -> Answered:
        """See `Send`. The URL is sent as it stands: escapes stay escapes and dots stay dots."""
        if not self._open:
            raise RuntimeError("Net is used outside its async with block")
        try:
            origin, target = parted(url)
        except ValueError:
            raise NetError("refused", sent=False) from None
        keep = self._kept.keeps((origin.host, origin.port))
        request = written(method, origin, target, headers if keep else {**headers, "connection": "close"}, body)
        begun = time.monotonic()
        connection = await self._taken(origin, min(self._connect_s, timeout_s / 2))
        try:
            return await connection.ask(request, cap=cap, timeout_s=timeout_s - (time.monotonic() - begun))
        finally:
            self._give_back(origin, connection, keep=keep)

    async def _taken(self, origin: Origin, patience_s: float) -> Connection:
        """A connection to use alone: the one used last, or else a new one."""
        host = self._hosts.get(origin)
        if host is None:
            host = self._hosts[origin] = _Host(asyncio.Semaphore(self._per_host))
        host.users += 1
        if host.unused and not host.turns.locked() and not self._turns.locked():
            connection = host.last_used(time.monotonic() - self._idle_s)
            if connection is not None:
                await host.turns.acquire()  # neither of the two waits
                await self._turns.acquire()
                return connection
        held = []
        try:
            async with asyncio.timeout(patience_s):
                for turns in (host.turns, self._turns):
                    await turns.acquire()
                    held.append(turns)
                return host.last_used(time.monotonic() - self._idle_s) or await self._dialled(origin)
        except OSError as fault:
            self._leave(origin, host, *held)
            raise _named(fault) from None
        except BaseException:
            self._leave(origin, host, *held)
            raise

    async def _dialled(self, origin: Origin) -> Connection:
        route = self._routes(origin.host, origin.port)
        host, port = _address(origin, route)
        context = self._context(route.trust if route else None) if origin.scheme == "https" else None
        addresses = (host,) if _is_address(host) else await self._lookups.addresses(host)
        for address in addresses[:-1]:
            with suppress(OSError):  # the last one's fault is the one that is told
                return await _dialled(address, port, origin.host, context)
        return await _dialled(addresses[-1], port, origin.host, context)

    def _context(self, trust: Path | None) -> ssl.SSLContext:
        context = self._contexts.get(trust)
        if context is None:
            context = self._contexts[trust] = ssl.create_default_context(cafile=trust)
        return context

    def _give_back(self, origin: Origin, connection: Connection, *, keep: bool) -> None:
        host = self._hosts[origin]
        if keep and connection.usable:
            host.unused.append((time.monotonic(), connection))
            if self._sweeper is None:
                self._sweeper = asyncio.get_running_loop().call_later(self._idle_s, self._sweep)
        else:
            connection.close()
        self._leave(origin, host, host.turns, self._turns)

    def _leave(self, origin: Origin, host: _Host, *held: asyncio.Semaphore) -> None:
        for turns in held:
            turns.release()
        host.users -= 1
        if not host.users and not host.unused:
            del self._hosts[origin]

    def _sweep(self) -> None:
        """Close what has not been used for long; look again while anything is kept."""
        since = time.monotonic() - self._idle_s
        for origin, host in list(self._hosts.items()):
            fresh = [kept for kept in host.unused if kept[0] >= since and kept[1].usable]
            for _, connection in set(host.unused).difference(fresh):
                connection.close()
            host.unused = fresh
            if not host.users and not fresh:
                del self._hosts[origin]
        again = self._idle_s / 2
        self._sweeper = asyncio.get_running_loop().call_later(again, self._sweep) if self._hosts else None


class _Kept:
    """Which hosts may leave a connection open: the most recent ones, so that idle connections stay bounded."""

    def __init__(self, size: int, seconds: float) -> None:
        self._until: OrderedDict[tuple[str, int], float] = OrderedDict()
        self._size = size
        self._seconds = seconds

    def keeps(self, host: tuple[str, int]) -> bool:
        now = time.monotonic()
        if host not in self._until and len(self._until) >= self._size:
            oldest = next(iter(self._until))
            if self._until[oldest] > now:
                return False
            del self._until[oldest]
        self._until[host] = now + self._seconds
        self._until.move_to_end(host)
        return True


def _half_the_files() -> int:
    if sys.platform == "win32":
        return 256
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 32_768 if soft == resource.RLIM_INFINITY else min(soft // 2, 32_768)


async def _dialled(address: str, port: int, name: str, context: ssl.SSLContext | None) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(
        Connection, address, port, ssl=context, server_hostname=name if context else None
    )
    return connection


def _address(origin: Origin, route: Route | None) -> tuple[str, int]:
    if route is not None and route.connect_to is not None and not _is_address(origin.host):
        address, _, port = route.connect_to.rpartition(":")
        return address.strip("[]"), int(port)
    # RFC 6761 section 6.3: names under localhost are this machine, also where the resolver does not know it.
    return ("localhost" if origin.host.endswith(".localhost") else origin.host), origin.port


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _named(error: OSError) -> NetError:
    match error:
        case ssl.SSLError():
            return NetError("tls", sent=False)
        case TimeoutError():
            return NetError("timeout", sent=False)
        case _:
            return NetError("refused", sent=False)
