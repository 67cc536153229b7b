"""A name whose servers are silent keeps no other name waiting."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator

import anyio
import pytest
from aiohttp.abc import ResolveResult

from server.http.client import OutboundClient
from server.http.port import HttpError, Route
from server.http.resolver import FixedResolver, Resolver, resolve_by_system
from tests.support.scripted_servers import reply, site


class Names:
    """A resolver: `silent-*` waits until the test is over, `unknown` is unknown, all else is this machine."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.over = threading.Event()

    def __call__(self, host: str, port: int, _family: socket.AddressFamily) -> list[ResolveResult]:
        self.asked[host] += 1
        if host.startswith("silent"):
            self.over.wait(30)
        if host.startswith("unknown"):
            raise OSError("no such name")
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0),
        ]


@pytest.fixture
def names() -> Iterator[Names]:
    resolver = Names()
    yield resolver
    resolver.over.set()


async def test_silent_names_keep_no_other_waiting_and_each_is_asked_for_once(names: Names) -> None:
    silent: list[HttpError] = []

    async def wait(net: OutboundClient, number: int) -> None:
        with pytest.raises(HttpError) as caught:
            await net.send("GET", f"http://silent-{number}.test/", timeout_s=2)
        silent.append(caught.value)

    async with site(reply(b"{}")) as here, OutboundClient(resolver=Resolver(names)) as net:
        async with anyio.create_task_group() as tasks:
            for number in range(400):
                tasks.start_soon(wait, net, number % 20)
            await anyio.sleep(0.1)
            began = time.monotonic()
            assert (await net.send("GET", here.url("good.test"))).status == 200
            assert time.monotonic() - began < 0.9
        assert {names.asked[f"silent-{number}.test"] for number in range(20)} == {1}
    assert {(fault.fault, fault.sent) for fault in silent} == {("timeout", False)}


async def test_who_stops_waiting_stops_for_itself_alone(names: Names) -> None:
    async with site(reply(b"{}")) as here, OutboundClient(resolver=Resolver(names)) as net:
        url = here.url("silent.test")
        first = asyncio.create_task(net.send("GET", url))
        second = asyncio.create_task(net.send("GET", url))
        await anyio.sleep(0.1)
        first.cancel()
        await anyio.sleep(0.05)
        names.over.set()
        assert (await second).status == 200
    assert names.asked["silent.test"] == 1


async def test_no_more_are_asked_for_at_a_time_than_told(names: Names) -> None:
    resolver = Resolver(names, at_once=2)
    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(resolver.resolve, f"silent-{number}")
        await anyio.sleep(0.05)
        assert names.asked.total() == 2
        names.over.set()
    assert names.asked.total() == 5


async def test_an_answer_is_kept_and_a_failure_is_not(names: Names) -> None:
    async with site(reply(b"{}"), stop_after=1) as here, OutboundClient(resolver=Resolver(names)) as net:
        for _ in range(3):
            await net.send("GET", here.url("good.test"))
            with pytest.raises(HttpError) as caught:
                await net.send("GET", here.url("unknown.test"))
            assert (caught.value.fault, caught.value.sent) == ("refused", False)
    assert names.asked == {"good.test": 1, "unknown.test": 3}


async def test_the_end_waits_for_no_answer(names: Names) -> None:
    with anyio.fail_after(5):
        async with OutboundClient(resolver=Resolver(names)) as net:
            waiting = asyncio.create_task(net.send("GET", "http://silent.test/"))
            await anyio.sleep(0.05)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting


async def test_a_route_leads_to_its_place_by_address_or_name(names: Names) -> None:
    fixed = FixedResolver("[::1]:8443", Resolver(resolve_by_system))
    assert [(found["host"], found["port"]) for found in await fixed.resolve("acme.test", 443)] == [("::1", 8443)]
    async with site(reply(b"{}")) as here:
        route = Route(f"place.test:{here.port}")
        async with OutboundClient(lambda _host, _port: route, resolver=Resolver(names)) as net:
            assert (await net.send("GET", "http://acme.test/")).status == 200
    assert names.asked == {"place.test": 1}


def test_the_machines_own_resolver_is_asked() -> None:
    assert "127.0.0.1" in {found["host"] for found in resolve_by_system("localhost", 80)}
    with pytest.raises(OSError):  # noqa: PT011 - which one is the resolver's business
        resolve_by_system("a" * 70, 80)


class Swallowing:
    """An address that takes no connection and refuses none, as behind a firewall: its queue is full."""

    def __init__(self, address: str, port: int) -> None:
        self._listener = socket.create_server((address, port), backlog=0)
        self._waiting = [self._knock(address, port) for _ in range(8)]

    def _knock(self, address: str, port: int) -> socket.socket:
        knocking = socket.socket()
        knocking.setblocking(False)
        knocking.connect_ex((address, port))
        return knocking

    def close(self) -> None:
        """Let the address be free again."""
        for one in (*self._waiting, self._listener):
            one.close()


async def test_an_address_that_swallows_connections_keeps_the_next_one_from_nobody() -> None:
    """RFC 8305 section 5: the addresses of a name are raced, a quarter of a second apart."""

    def resolve(host: str, port: int, _family: socket.AddressFamily) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in ("127.0.0.2", "127.0.0.1")
        ]

    async with site(reply(b"{}")) as here, OutboundClient(resolver=Resolver(resolve)) as net:
        url = here.url("two.test")
        dead = Swallowing("127.0.0.2", int(url.split(":")[2].split("/")[0]))
        try:
            began = time.monotonic()
            assert (await net.send("GET", url)).status == 200
            assert time.monotonic() - began < 2
        finally:
            dead.close()
