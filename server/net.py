"""The one way out: HTTP requests to tenants, key sets and feeds, whose cost does not grow with the number of hosts.

One pool, keyed by the scheme, host and port of the URL, so that organisations never share a connection even where
they share an address. It keeps no cookies, follows no redirects, reads no proxy environment and sends nothing twice.
"""

import socket
import ssl
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

if sys.platform != "win32":
    import resource

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.http_exceptions import ContentEncodingError
from yarl import URL

Fault = Literal["refused", "timeout", "dropped", "too_large", "tls", "protocol"]


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole HTTP answer. Header names are lower case; redirects are answers like any other."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NetError(Exception):
    """No whole answer came.

    Parameters:
        fault: what happened: `refused` (no connection, the request was never sent), `timeout`, `dropped` (closed
            before the whole answer), `too_large` (over the cap), `tls`, `protocol` (not HTTP).
        sent: whether the request may have reached the other side.
    """

    def __init__(self, fault: Fault, *, sent: bool) -> None:
        super().__init__(fault)
        self.fault = fault
        self.sent = sent


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
        self._total = total
        self._per_host = per_host
        self._idle_s = idle_s
        self._connect_s = connect_s
        self._kept = _Kept(_half_the_files() if idle_hosts is None else idle_hosts, idle_s)
        self._contexts: dict[Path, ssl.SSLContext] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            resolver=_Resolver(self._routes),
            limit=self._total,
            limit_per_host=self._per_host,
            keepalive_timeout=self._idle_s,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(_never_again,),
            skip_auto_headers=("User-Agent", "Content-Type"),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

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
        if self._session is None:
            raise RuntimeError("Net is used outside its async with block")
        target = URL(url, encoded=True)
        host, port = target.raw_host or "", target.port or 0
        sent = {"accept-encoding": "gzip", **headers}
        if not self._kept.keeps((host, port)):
            sent["connection"] = "close"
        try:
            async with self._session.request(
                method,
                target,
                headers=sent,
                data=body,
                allow_redirects=False,
                ssl=self._context(host, port),
                timeout=aiohttp.ClientTimeout(total=timeout_s, connect=min(self._connect_s, timeout_s / 2)),
            ) as answer:
                whole = await _read(answer, cap)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _named(error) from None
        return Answered(answer.status, {name.lower(): value for name, value in answer.headers.items()}, whole)

    def _context(self, host: str, port: int) -> ssl.SSLContext | bool:
        route = self._routes(host, port)
        if route is None or route.trust is None:
            return True
        context = self._contexts.get(route.trust)
        if context is None:
            context = self._contexts[route.trust] = ssl.create_default_context(cafile=route.trust)
        return context


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


class _Resolver(AbstractResolver):
    """Looks up the address a route names instead of the host's own."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._names = aiohttp.DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        route = self._routes(host, port)
        if route is None or route.connect_to is None:
            # RFC 6761 section 6.3: names under localhost are this machine, also where the resolver does not know it.
            return await self._names.resolve("localhost" if host.endswith(".localhost") else host, port, family)
        address, _, dialled = route.connect_to.rpartition(":")
        return await self._names.resolve(address.strip("[]"), int(dialled), family)

    async def close(self) -> None:
        await self._names.close()


async def _never_again(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    # The session repeats what it calls idempotent (PUT and DELETE too) when a connection closes under it, unless the
    # error is one it does not know. Whether to repeat is the caller's decision.
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _named(error) from None


async def _read(answer: aiohttp.ClientResponse, cap: int) -> bytes:
    if (answer.content_length or 0) > cap:
        raise NetError("too_large", sent=True)
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.content.iter_any():
        size += len(chunk)
        if size > cap:
            raise NetError("too_large", sent=True)
        chunks.append(chunk)
    return b"".join(chunks)


def _named(error: Exception) -> NetError:
    match error:
        case aiohttp.ClientSSLError():
            return NetError("tls", sent=False)
        case aiohttp.ConnectionTimeoutError():
            return NetError("timeout", sent=False)
        case aiohttp.ClientConnectorError():
            return NetError("refused", sent=False)
        case TimeoutError():
            return NetError("timeout", sent=True)
        case aiohttp.ClientPayloadError() if not isinstance(error.__cause__, ContentEncodingError):
            return NetError("dropped", sent=True)
        case aiohttp.ClientOSError() | aiohttp.ServerDisconnectedError():
            return NetError("dropped", sent=True)
        case _:
            return NetError("protocol", sent=True)
