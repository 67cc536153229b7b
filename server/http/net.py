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

from server.http.connection import Answered, Connection, NetError
from server.http.lookups import Lookups
from server.http.origin import Origin, split_url, write_request

AT_A_SWEEP, _PAUSE_S = 100, 0.01
"""Connections closed at a time, and seconds between two times, so that closing thousands holds no call up."""

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
    """The connections of one origin: the unused ones, the last used last, and how many calls use or await one."""

    turns: asyncio.Semaphore
    unused: list[Connection] = field(default_factory=list)
    users: int = 0


class Net:
    """The real `Send`. Use as `async with Net(...) as net`; one for the whole process.

    Parameters:
        routes: finds the route of a host and port; None means the ordinary way.
        total, per_host: connections in use at once, > 0; a request waits for a free one within its own time. No host
            may have more than half of what is free, so that a few whose answers do not come leave room for the others.
        idle_s: seconds an unused connection is kept; less than the 60 after which load balancers usually drop one.
        idle: unused connections kept at a time, the longest unused giving way; None means half as many as the
            process may open files.
        connect_s: seconds for a free connection, look-up, dial and TLS together.
    """

    def __init__(
        self,
        routes: Routes = lambda _host, _port: None,
        *,
        total: int = 2048,
        per_host: int = 64,
        idle_s: float = 45.0,
        idle: int | None = None,
        connect_s: float = 3.0,
    ) -> None:
        self._routes = routes
        self._turns = asyncio.Semaphore(total)
        self._total = total
        self._users = 0
        self._per_host = per_host
        self._idle_s = idle_s
        self._connect_s = connect_s
        self._most_idle = _count_half_of_files() if idle is None else idle
        self._contexts: dict[Path | None, ssl.SSLContext] = {}
        self._hosts: dict[Origin, _Host] = {}
        self._idle: OrderedDict[Connection, tuple[float, Origin]] = OrderedDict()
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
        while self._idle:
            self._drop_oldest()

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
            origin, target = split_url(url)
        except ValueError:
            raise NetError("refused", sent=False) from None
        request = write_request(method, origin, target, headers, body)
        begun = time.monotonic()
        connection = await self._take(origin, min(self._connect_s, timeout_s / 2))
        try:
            return await connection.ask(request, cap=cap, timeout_s=timeout_s - (time.monotonic() - begun))
        finally:
            self._give_back(origin, connection)

    async def _take(self, origin: Origin, patience_s: float) -> Connection:
        """A connection to use alone: the one used last, or else a new one."""
        host = self._hosts.get(origin)
        if host is None:
            host = self._hosts[origin] = _Host(asyncio.Semaphore(self._per_host))
        host.users += 1
        self._users += 1
        if host.users > max(1, (self._total - self._users) // 2):
            self._leave(origin, host)
            raise NetError("refused", sent=False)
        if host.unused and not host.turns.locked() and not self._turns.locked():
            connection = self._last_used(host)
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
                return self._last_used(host) or await self._dial(origin)
        except OSError as fault:
            self._leave(origin, host, *held)
            raise _name_error(fault) from None
        except BaseException:
            self._leave(origin, host, *held)
            raise

    async def _dial(self, origin: Origin) -> Connection:
        route = self._routes(origin.host, origin.port)
        host, port = _choose_address(origin, route)
        context = self._context(route.trust if route else None) if origin.scheme == "https" else None
        addresses = (host,) if _is_address(host) else await self._lookups.addresses(host)
        for address in addresses[:-1]:
            with suppress(OSError):  # the last one's fault is the one that is told
                return await _dial(address, port, origin.host, context)
        return await _dial(addresses[-1], port, origin.host, context)

    def _context(self, trust: Path | None) -> ssl.SSLContext:
        context = self._contexts.get(trust)
        if context is None:
            context = self._contexts[trust] = ssl.create_default_context(cafile=trust)
        return context

    def _last_used(self, host: _Host) -> Connection | None:
        """An unused connection that may still be used."""
        while host.unused:
            connection = host.unused.pop()
            since, _ = self._idle.pop(connection)
            if connection.usable and since >= time.monotonic() - self._idle_s:
                return connection
            connection.close()
        return None

    def _give_back(self, origin: Origin, connection: Connection) -> None:
        host = self._hosts[origin]
        if connection.usable and self._open:
            host.unused.append(connection)
            self._idle[connection] = (time.monotonic(), origin)
        else:
            connection.close()
        self._leave(origin, host, host.turns, self._turns)
        if len(self._idle) > self._most_idle:
            self._drop_oldest()
        elif self._sweeper is None and self._idle:
            self._sweeper = asyncio.get_running_loop().call_later(self._idle_s, self._sweep)

    def _leave(self, origin: Origin, host: _Host, *held: asyncio.Semaphore) -> None:
        for turns in held:
            turns.release()
        host.users -= 1
        self._users -= 1
        if not host.users and not host.unused:
            del self._hosts[origin]

    def _sweep(self) -> None:
        """Close what has not been used for long, a little at a time, and look again when the next one is due."""
        since = time.monotonic() - self._idle_s
        for _ in range(AT_A_SWEEP):
            if not self._idle or next(iter(self._idle.values()))[0] > since:
                break
            self._drop_oldest()
        self._sweeper = None
        if self._idle:
            due = next(iter(self._idle.values()))[0] - since
            self._sweeper = asyncio.get_running_loop().call_later(max(due, _PAUSE_S), self._sweep)

    def _drop_oldest(self) -> None:
        connection, (_, origin) = self._idle.popitem(last=False)
        connection.close()
        host = self._hosts[origin]
        host.unused.remove(connection)
        if not host.users and not host.unused:
            del self._hosts[origin]


def _count_half_of_files() -> int:
    if sys.platform == "win32":
        return 256
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 32_768 if soft == resource.RLIM_INFINITY else min(soft // 2, 32_768)


async def _dial(address: str, port: int, name: str, context: ssl.SSLContext | None) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(
        Connection, address, port, ssl=context, server_hostname=name if context else None
    )
    return connection


def _choose_address(origin: Origin, route: Route | None) -> tuple[str, int]:
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


def _name_error(error: OSError) -> NetError:
    match error:
        case ssl.SSLError():
            return NetError("tls", sent=False)
        case TimeoutError():
            return NetError("timeout", sent=False)
        case _:
            return NetError("refused", sent=False)
