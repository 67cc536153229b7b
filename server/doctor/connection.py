"""A connection as a client makes it: over HTTP with this machine's proxies, or to a process that is started."""

import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio
import httpx2

from server.doctor.client_setup import RemoteSetup, Setup
from server.doctor.mcp_client import HttpClient, McpClient, start_server
from server.doctor.results import Broken, Kind
from server.http.port import HttpError, HttpResponse, Send

for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # a line for each request is for servers, not for people


def find_proxy(url: str) -> str | None:
    """The proxy that this machine's environment sets for a URL; None when it is reached directly."""
    parts = urlsplit(url)
    if parts.hostname is None or proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


@asynccontextmanager
async def open_client(setup: Setup, trust: Path | None = None) -> AsyncIterator[McpClient]:
    """Speak to the server of a set-up while the block runs.

    Parameters:
        trust: CA file that alone may vouch for the server's host; None for those of this machine, or SSL_CERT_FILE.

    Raises:
        OSError: the command of a local one cannot be started.
    """
    if not isinstance(setup, RemoteSetup):
        async with start_server(setup.command, setup.environment) as client:
            yield client
        return
    url = setup.url.rstrip("/")
    if url.endswith("/sse"):
        url = url.removesuffix("/sse") + "/mcp"  # the same server, without a stream
    async with open_way(trust) as send:
        yield HttpClient(send, url, setup.headers)


@asynccontextmanager
async def open_way(trust: Path | None) -> AsyncIterator[Send]:
    """The way out that a client on this machine has: its proxies, its authorities; no cookies, no redirects."""
    context = ssl.create_default_context(cafile=trust)
    async with httpx2.AsyncClient(verify=context, trust_env=True, follow_redirects=False) as client:

        async def send(
            method: str,
            url: str,
            *,
            headers: Mapping[str, str] = {},
            body: bytes | None = None,
            timeout_s: float = 10.0,
            cap: int = 16_000_000,
        ) -> HttpResponse:
            try:
                with anyio.fail_after(timeout_s):
                    request = client.build_request(method, url, headers=dict(headers), content=body)
                    answer = await client.send(request, stream=True)
                    try:
                        return HttpResponse(answer.status_code, dict(answer.headers), await _read(answer, cap))
                    finally:
                        await answer.aclose()
            except TimeoutError:
                raise HttpError("timeout", sent=True) from None
            except httpx2.ConnectError:
                raise HttpError("refused", sent=False) from None
            except httpx2.ProxyError as fault:
                raise _blame_proxy(url, str(fault)) from None
            except (httpx2.RemoteProtocolError, httpx2.DecodingError):
                raise HttpError("protocol", sent=True) from None
            except httpx2.HTTPError:
                raise HttpError("dropped", sent=True) from None

        yield send


async def _read(answer: httpx2.Response, cap: int) -> bytes:
    body = bytearray()
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > cap:
            raise HttpError("too_large", sent=True)
    return bytes(body)


def _blame_proxy(url: str, said: str) -> Broken:
    proxy = urlsplit(find_proxy(url) or "").hostname or "the proxy"
    fix = "Log in to it, or name the host in NO_PROXY if it may be reached directly."
    return Broken(Kind.NETWORK, "proxy_refused", f"The proxy {proxy} does not let it through: {said[:80]}.", fix)
