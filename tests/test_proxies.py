"""The proxy on the way out: none unless somebody says so, and what it is told."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from server.http.client import OutboundClient
from server.http.port import HttpError, Route
from server.http.proxies import build_finder
from server.settings import SettingsError, load_settings
from tests.support.certificates import self_signed
from tests.support.scripted_servers import reply, site


@dataclass
class Proxy:
    """A proxy that connects to one port of this machine, whatever host it is asked for."""

    leads_to: int
    status: str = "200 Connected"
    asked: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
        if self.status.startswith("200"):
            there, here = await asyncio.open_connection("127.0.0.1", self.leads_to)
            await asyncio.gather(_copy(reader, here), _copy(there, writer))
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def proxied(proxy: Proxy) -> AsyncIterator[str]:
    """The proxy, alive; gives its host and port."""
    server = await asyncio.start_server(proxy.serve, "127.0.0.1")
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path, "tenant.test")


def _speak_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def test_a_proxy_is_used_when_told_and_hears_the_host_and_nothing_of_the_request(certificate: Path) -> None:
    route = Route(trust=certificate.read_text())  # noqa: ASYNC240 - before anything runs
    async with site(reply(b"{}"), tls=_speak_tls(certificate)) as here, proxied(proxy := Proxy(here.port)) as where:
        finder = build_finder(f"http://ann:pass@{where}", {})
        async with OutboundClient(lambda _host, _port: route, finder) as client:
            url = f"https://tenant.test:{here.port}/secret"
            assert (await client.send("GET", url, headers={"authorization": "Bearer x"})).status == 200
    (asked,) = proxy.asked
    assert asked.startswith(f"CONNECT tenant.test:{here.port} HTTP/1.1\r\n")
    assert f"Basic {base64.b64encode(b'ann:pass').decode()}" in asked
    assert "Bearer" not in asked
    assert "secret" not in asked


async def test_a_proxy_that_refuses_is_named_and_its_password_is_not() -> None:
    async with (
        proxied(Proxy(1, "403 No")) as where,
        OutboundClient(proxies=build_finder(f"http://ann:pass@{where}", {})) as client,
    ):
        with pytest.raises(HttpError) as caught:
            await client.send("GET", "https://tenant.test/")
    assert (caught.value.fault, caught.value.sent) == ("proxy", False)
    assert "pass" not in f"{caught.value} {caught.value!r}"


ENVIRONMENT = {"HTTPS_PROXY": "proxy.test:8080", "NO_PROXY": "internal.test,.corp.test"}


@pytest.mark.parametrize(
    ("choice", "environment", "scheme", "host", "found"),
    [
        ("none", ENVIRONMENT, "https", "tenant.test", None),
        ("environment", ENVIRONMENT, "https", "tenant.test", "http://proxy.test:8080"),
        ("environment", ENVIRONMENT | {"https_proxy": "http://small.test"}, "https", "a.test", "http://small.test"),
        ("environment", {"ALL_PROXY": "http://all.test:1"}, "https", "tenant.test", "http://all.test:1"),
        ("environment", ENVIRONMENT, "https", "internal.test", None),
        ("environment", ENVIRONMENT, "https", "x.corp.test", None),
        ("environment", {}, "https", "tenant.test", None),
        ("http://p.test:3128", ENVIRONMENT, "https", "internal.test", "http://p.test:3128"),
        ("http://p.test:3128", {}, "https", "localhost", None),
        ("http://p.test:3128", {}, "https", "acme.localhost", None),
        ("http://p.test:3128", {}, "https", "127.0.0.1", None),
        ("http://p.test:3128", {}, "http", "tenant.test", None),
    ],
)
def test_which_proxy_is_on_the_way(
    choice: str, environment: dict[str, str], scheme: str, host: str, found: str | None
) -> None:
    assert build_finder(choice, environment)(scheme, host, 443) == found


@pytest.mark.parametrize("said", ["proxy.test:8080", "socks5://p.test", "http://", "http://p.test/path", "yes"])
def test_what_is_no_proxy_is_a_mistake_that_does_not_repeat_it(said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({}, {"NUDJ_MCP_UPSTREAM_PROXY": said})
    (mistake,) = (one for one in refused.value.mistakes if "NUDJ_MCP_UPSTREAM_PROXY" in one)
    assert said not in mistake or said == "yes"
