"""The adapter: the port over aiohttp's connections.

Only what finds, keeps and frames connections is used of aiohttp: no session, so that no cookie jar, no redirects, no
authentication and no repeats stand between a request and its answer.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, cast

from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from yarl import URL

from server.http import codings
from server.http.connections import BoundedConnection
from server.http.connector import BoundedConnector
from server.http.descriptors import half_of_files
from server.http.idle import Idle
from server.http.origin import Origin, split_url, write_request
from server.http.places import Places
from server.http.port import FindProxy, FindRoute, HttpError, HttpResponse, Route
from server.http.resolver import FixedResolver, Resolver

_log = logging.getLogger(__name__)

_ORDINARY = Route()


@dataclass(slots=True)
class _Road:
    """The connections along one route; `targets` are the origins reached over it, as aiohttp wants them told."""

    connector: BoundedConnector
    direct: bool
    targets: dict[tuple[Origin, str | None], ClientRequest] = field(default_factory=dict)
    users: int = 0
    withdrawn: bool = False

    def target(self, origin: Origin, proxy: str | None) -> ClientRequest:
        found = self.targets.get((origin, proxy))
        if found is None:
            url, by = URL(f"{origin.scheme}://{origin.authority}/", encoded=True), None if proxy is None else URL(proxy)
            found = ClientRequest("GET", url, loop=asyncio.get_running_loop(), proxy=by)
            self.targets[origin, proxy] = found
        return found


class OutboundClient:
    """The real `Send`. Use as `async with OutboundClient(...) as client`; one for the whole process.

    Parameters:
        routes: finds the route of a host and port; None means the ordinary way.
        proxies: finds the proxy on the way to a host; entries with `connect_to` are always dialled directly.
        total, per_host: requests under way at once, > 0; others wait within their own time.
        idle_s: seconds an unused connection is kept; less than the 60 after which load balancers usually drop one.
        idle: unused connections kept at a time, the longest unused giving way; None means half as many as the
            process may open files.
        connect_s: seconds for a free place, look-up, dial and TLS together.
        resolver: names to addresses.
    """

    def __init__(
        self,
        routes: FindRoute = lambda _host, _port: None,
        proxies: FindProxy = lambda _scheme, _host, _port: None,
        *,
        total: int = 2048,
        per_host: int = 64,
        idle_s: float = 45.0,
        idle: int | None = None,
        connect_s: float = 3.0,
        resolver: Resolver | None = None,
    ) -> None:
        self._routes, self._proxies = routes, proxies
        self._places = Places(total, per_host)
        self._idle = Idle(half_of_files() if idle is None else idle, idle_s)
        self._idle_s, self._connect_s = idle_s, connect_s
        self._resolver = resolver or Resolver()
        self._roads: dict[Route, _Road] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        self._find_road(_ORDINARY)  # reading the authorities of this machine takes longer than a request
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        self._idle.stop()
        while self._roads:
            self._close(self._roads.popitem()[1])
        await asyncio.gather(*self._closing)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = {},
        body: bytes | None = None,
        timeout_s: float = 10.0,
        cap: int = 8_000_000,
    ) -> HttpResponse:
        """See `Send`. The URL is sent as it stands: escapes stay escapes and dots stay dots."""
        if not self._open:
            raise RuntimeError("OutboundClient is used outside its async with block")
        origin, target = _lead(url)
        request = write_request(method, origin, target, headers, body)
        begun = time.monotonic()
        patience_s = min(self._connect_s, timeout_s / 2)
        await self._places.enter(origin.authority, patience_s)
        road = self._find_road(self._routes(origin.host, origin.port) or _ORDINARY)
        road.users += 1
        try:
            waited = time.monotonic() - begun
            proxy = None if road.direct else self._proxies(origin.scheme, origin.host, origin.port)
            connection = await road.connector.take(road.target(origin, proxy), patience_s - waited)
            return await _exchange(connection, request, cap, begun + timeout_s)
        except HttpError as error:
            _tell(origin, error)
            raise
        finally:
            self._places.leave(origin.authority)
            self._leave(road)

    def withdraw_routes(self) -> None:
        """Close what leads along a route that no host has any more; what is under way there may end."""
        for route, road in list(self._roads.items()):
            if route != _ORDINARY and all(self._routes(to.host, to.port) != route for to, _ in road.targets):
                del self._roads[route]
                road.withdrawn = True
                if not road.users:
                    self._close(road)

    def _find_road(self, route: Route) -> _Road:
        road = self._roads.get(route)
        if road is None:
            direct = route.connect_to is not None
            connector = BoundedConnector(
                self._idle,
                keepalive_timeout=2 * self._idle_s,  # what is closed by then is forgotten
                ssl=ssl.create_default_context(cadata=route.trust),
                resolver=FixedResolver(str(route.connect_to), self._resolver) if direct else self._resolver,
            )
            road = self._roads[route] = _Road(connector, direct)
        return road

    def _leave(self, road: _Road) -> None:
        road.users -= 1
        if road.withdrawn and not road.users:
            self._close(road)

    def _close(self, road: _Road) -> None:
        task = asyncio.get_running_loop().create_task(road.connector.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _lead(url: str) -> tuple[Origin, str]:
    try:
        return split_url(url)
    except ValueError as error:
        raise HttpError("refused", sent=False, why=str(error)) from None


async def _exchange(connection: Connection, request: bytes, cap: int, deadline: float) -> HttpResponse:
    """Ask over a connection; one that is left early is closed."""
    protocol = cast(BoundedConnection, connection.protocol)
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            message, body = await protocol.ask(request, cap)
    except TimeoutError:
        connection.close()
        raise HttpError("timeout", sent=True) from None
    except BaseException:
        connection.close()
        raise
    connection.release()
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in message.raw_headers}
    if (coding := headers.get("content-encoding")) is not None:
        try:
            body = codings.decode(body, coding, cap)
        except codings.TooLarge:
            raise HttpError("too_large", sent=True) from None
        except ValueError as error:
            raise HttpError("protocol", sent=True, why=str(error)) from None
    return HttpResponse(message.code, headers, body)


def _tell(origin: Origin, error: HttpError) -> None:
    """What an operator has to mend is in the log; a tenant's silence is the tenant's."""
    if error.fault in ("tls_unverified", "tls", "proxy", "local"):
        _log.warning("no connection to %s (%s): %s", origin.authority, error.fault, error.why)
