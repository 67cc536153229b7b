"""The way out over real sockets, at servers that misbehave."""

import asyncio
import gzip
import ssl
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest

from server.http.client import OutboundClient
from server.http.idle import AT_A_SWEEP
from server.http.port import HttpError, Route
from tests.support.certificates import self_signed
from tests.support.scripted_servers import reply, site


async def fault(net: OutboundClient, url: str, method: str = "GET", **more: float) -> tuple[str, bool]:
    with pytest.raises(HttpError) as caught:
        await net.send(method, url, **more)  # type: ignore[arg-type] # timeout_s is a float, cap an int
    return caught.value.fault, caught.value.sent


async def forgotten(net: OutboundClient) -> None:
    """Wait until nothing is kept of any host."""
    with anyio.fail_after(5):
        while any(road.connector._conns for road in net._roads.values()) or net._places._hosts:  # noqa: ASYNC110
            await anyio.sleep(0.02)


async def test_an_answer_comes_whole_with_lower_case_header_names() -> None:
    async with site(reply(b'{"a": 1}', "X-Thing: Yes")) as here, OutboundClient() as net:
        answered = await net.send("GET", here.url())
    assert (answered.status, answered.body, answered.headers["x-thing"]) == (200, b'{"a": 1}', "Yes")


async def test_the_path_travels_exactly_as_written() -> None:
    async with site(reply(b"")) as here, OutboundClient() as net:
        await net.send("GET", here.url(path="/a/%2e%2e/b%2Fc?x=%20+"))
    assert here.heads[0].startswith("GET /a/%2e%2e/b%2Fc?x=%20+ HTTP/1.1\r\n")


async def test_nothing_is_sent_that_was_not_asked_for() -> None:
    async with site(reply(b"")) as here, OutboundClient() as net:
        await net.send("POST", here.url(), headers={"accept": "application/json"}, body=b"{}")
    names = {line.partition(":")[0].lower() for line in here.heads[0].split("\r\n")[1:] if line}
    assert names == {"host", "accept", "accept-encoding", "content-length"}


async def test_a_redirect_is_an_answer() -> None:
    async with site(reply(b"", "location: http://127.0.0.1:1/", status="302 Found")) as here, OutboundClient() as net:
        assert (await net.send("GET", here.url())).status == 302


async def test_a_cookie_goes_nowhere() -> None:
    async with site(reply(b"", "set-cookie: a=1; path=/")) as here, OutboundClient() as net:
        for _ in range(2):
            await net.send("GET", here.url())
    assert here.connections == 1
    assert "cookie" not in "".join(here.heads).lower()


async def test_refused_is_told_apart_from_sent() -> None:
    async with OutboundClient() as net:
        assert await fault(net, "http://127.0.0.1:1/") == ("refused", False)


async def test_a_name_that_does_not_resolve_is_refused() -> None:
    async with OutboundClient() as net:
        assert await fault(net, "http://nowhere.invalid/") == ("refused", False)


async def test_silence_ends_at_the_deadline() -> None:
    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with site(then=silent) as here, OutboundClient() as net:
        assert await fault(net, here.url(), timeout_s=0.2) == ("timeout", True)


async def test_headers_that_drip_do_not_stretch_the_deadline() -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(100):
            writer.write(f"x-{number}: 1\r\n".encode())
            await asyncio.sleep(0.05)

    async with site(then=drip) as here, OutboundClient() as net:
        assert await fault(net, here.url(), timeout_s=0.3) == ("timeout", True)


async def test_a_body_cut_short_is_dropped() -> None:
    async with site(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", stop_after=1) as here, OutboundClient() as net:
        assert await fault(net, here.url()) == ("dropped", True)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_no_method_is_sent_twice_when_the_connection_closes(method: str) -> None:
    async with site(b"", stop_after=1) as here, OutboundClient() as net:
        assert await fault(net, here.url(), method) == ("dropped", True)
    assert len(here.heads) == 1


async def test_a_body_over_the_cap_is_not_read() -> None:
    sent = 0

    async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while sent < 50_000_000:
            writer.write(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
            await writer.drain()
            sent += 0x100000

    async with site(then=pour) as here, OutboundClient() as net:
        assert await fault(net, here.url(), cap=1_000_000) == ("too_large", True)
        await asyncio.wait_for(here.closed.wait(), 5)
    assert sent < 20_000_000


async def test_the_cap_is_on_what_gzip_unfolds_to() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    async with site(reply(bomb, "content-encoding: gzip")) as here, OutboundClient() as net:
        assert await fault(net, here.url(), cap=1_000_000) == ("too_large", True)


async def test_gzip_is_unfolded() -> None:
    async with site(reply(gzip.compress(b"[1]"), "content-encoding: gzip")) as here, OutboundClient() as net:
        assert (await net.send("GET", here.url())).body == b"[1]"


async def test_a_body_that_is_not_the_gzip_it_claims_is_a_protocol_fault() -> None:
    async with site(reply(b"[1]", "content-encoding: gzip")) as here, OutboundClient() as net:
        assert await fault(net, here.url()) == ("protocol", True)


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n"], ids=["ssh", "header"]
)
async def test_what_is_not_http_or_has_endless_headers_is_a_protocol_fault(answer: bytes) -> None:
    async with site(answer, stop_after=1) as here, OutboundClient() as net:
        assert await fault(net, here.url()) == ("protocol", True)


async def test_plain_http_where_tls_is_expected_is_a_tls_fault() -> None:
    async with site(b"HTTP/1.1 400 Bad Request\r\n\r\n", stop_after=1) as here, OutboundClient() as net:
        got = await fault(net, here.url().replace("http:", "https:"), timeout_s=1)
    assert got in {("tls", False), ("timeout", False)}


async def test_two_hosts_on_one_address_never_share_a_connection() -> None:
    async with site(reply(b"")) as here:

        def there(host: str, port: int) -> Route | None:
            return Route(connect_to=f"127.0.0.1:{here.port}") if port == 80 and host.endswith(".test") else None

        async with OutboundClient(there) as net:
            for host in ("acme.test", "globex.test", "acme.test", "globex.test"):
                await net.send("GET", f"http://{host}/")
    assert here.connections == 2
    assert [head.split("\r\n")[1] for head in here.heads] == ["Host: acme.test", "Host: globex.test"] * 2


async def test_a_trusted_file_vouches_for_its_own_host_alone(tmp_path: Path) -> None:
    file = self_signed(tmp_path, "acme.test")
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    trusts = {"acme.test": file, "globex.test": file, "untrusted.test": None}

    def there(host: str, _port: int) -> Route:
        file_ = trusts[host]
        return Route(f"127.0.0.1:{here.port}", None if file_ is None else file_.read_text())

    async with site(reply(b"{}"), tls=context) as here, OutboundClient(there) as net:
        assert (await net.send("GET", "https://acme.test/")).status == 200
        assert await fault(net, "https://globex.test/") == ("tls_unverified", False)
        assert await fault(net, "https://untrusted.test/") == ("tls_unverified", False)
    assert names == ["acme.test", "globex.test", "untrusted.test"]
    assert "Host: acme.test" in here.heads[0]


async def test_leaving_early_closes_the_connection() -> None:
    arrived = asyncio.Event()

    async def wait_for_end(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await reader.read()

    async with site(then=wait_for_end) as here, OutboundClient() as net:
        call = asyncio.create_task(net.send("GET", here.url()))
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(here.closed.wait(), 5)


async def test_of_too_many_unused_connections_the_longest_unused_is_closed() -> None:
    async with site(reply(b"")) as first, site(reply(b"")) as second, OutboundClient(idle=1) as net:
        for here in (first, first, second, second, first):
            await net.send("GET", here.url())
        assert (first.connections, second.connections) == (2, 1)
        assert len(net._idle) == 1


async def test_each_connection_is_closed_once_it_is_unused_for_long() -> None:
    async with site(reply(b"")) as first, site(reply(b"")) as second, OutboundClient(idle_s=0.2) as net:
        await net.send("GET", first.url())
        await asyncio.sleep(0.1)
        await net.send("GET", second.url())
        async with asyncio.timeout(5):
            await first.closed.wait()
            assert len(net._idle) == 1
            await second.closed.wait()
        assert not len(net._idle)
        await forgotten(net)


async def test_a_great_many_are_closed_a_few_at_a_time() -> None:
    async with site(reply(b"")) as here, OutboundClient(per_host=250, idle_s=60) as net:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(2 * AT_A_SWEEP + 1):
                tasks.create_task(net.send("GET", here.url()))
        idle = net._idle
        idle._since.update(dict.fromkeys(idle._since, 0.0))
        kept = len(idle)
        assert kept > AT_A_SWEEP
        idle.sweep()
        assert len(idle) == kept - AT_A_SWEEP
        idle.sweep()
        idle.sweep()
        assert not len(idle)


async def test_a_busy_host_makes_only_its_own_calls_wait() -> None:
    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with site(then=silent) as slow, site(reply(b"")) as quick, OutboundClient(per_host=1) as net:
        stuck = asyncio.create_task(fault(net, slow.url(), timeout_s=2))
        await asyncio.sleep(0.05)
        assert await fault(net, slow.url(), timeout_s=0.4) == ("busy", False)
        assert (await net.send("GET", quick.url())).status == 200
        assert await stuck == ("timeout", True)


async def test_hosts_that_hang_together_leave_room_for_the_others() -> None:
    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with AsyncExitStack() as stack:
        hanging = [await stack.enter_async_context(site(then=silent)) for _ in range(3)]
        quick = await stack.enter_async_context(site(reply(b"")))
        net = await stack.enter_async_context(OutboundClient(total=16, per_host=16))
        stuck = [asyncio.create_task(fault(net, slow.url(), timeout_s=2)) for slow in hanging for _ in range(16)]
        await asyncio.sleep(0.1)
        refused = [await task for task in stuck if task.done()]
        assert set(refused) == {("busy", False)}
        assert 0 < len(stuck) - len(refused) < 16
        assert (await net.send("GET", quick.url())).status == 200
        assert {await task for task in stuck} == {("busy", False), ("timeout", True)}
        assert not net._places.users
