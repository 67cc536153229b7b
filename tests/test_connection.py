"""The connection itself, at peers that are right but unusual, or wrong in ways only a parser sees."""

import asyncio
import gzip
from typing import Any

import anyio
import pytest

from server.http.client import OutboundClient
from server.http.port import HttpError
from tests.support.scripted_servers import reply, site
from tests.test_net import forgotten

OK = b"HTTP/1.1 200 OK\r\n"


async def got(answer: bytes, *, stop_after: int = 10**9, **more: Any) -> bytes | str:
    """The body that one answer comes to, or the fault."""
    async with site(answer, stop_after=stop_after) as here, OutboundClient() as net:
        try:
            return (await net.send("GET", here.url(), **more)).body
        except HttpError as fault:
            return fault.fault if fault.sent else "not sent"


@pytest.mark.parametrize(
    ("answer", "comes_to"),
    [
        (OK + b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", b"abc"),
        (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + reply(b"late"), b"late"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + reply(b"on"), b"on"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (reply(b"", "content-encoding: gzip"), b""),
        (OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nabc", "protocol"),
        (OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "protocol"),
        (OK + b"content-length: -1\r\n\r\n", "protocol"),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "protocol"),
        (reply(b"[1]", "content-encoding: br"), "protocol"),
        (reply(gzip.compress(b"x" * 1000, mtime=0)[:-12], "content-encoding: gzip"), "protocol"),
    ],
)
async def test_an_answer_is_what_its_framing_says(answer: bytes, comes_to: bytes | str) -> None:
    assert await got(answer) == comes_to


async def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    assert await got(OK + b"\r\nabc", stop_after=1) == b"abc"
    assert await got(OK + b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n", stop_after=1) == "dropped"


async def test_a_declared_length_over_the_cap_is_refused_at_once() -> None:
    assert await got(OK + b"content-length: 1001\r\n\r\n", cap=1000) == "too_large"
    assert await got(reply(b"x" * 1000), cap=1000) == b"x" * 1000


async def test_a_connection_that_says_more_than_was_asked_is_never_used_again() -> None:
    async with site(reply(b"mine") + reply(b"smuggled")) as here, OutboundClient() as net:
        for _ in range(3):
            assert (await net.send("GET", here.url())).body == b"mine"
    assert here.connections == 3


async def test_a_connection_that_the_other_side_closes_is_not_used_again() -> None:
    async with site(reply(b"x"), stop_after=1) as here, OutboundClient() as net:
        for _ in range(3):
            assert (await net.send("GET", here.url())).status == 200
            await asyncio.sleep(0.02)
    assert here.connections == 3


async def test_an_unused_connection_is_closed_in_time_and_nothing_is_kept_of_its_host() -> None:
    async with site(reply(b"x")) as here, OutboundClient(idle_s=0.05) as net:
        await net.send("GET", here.url())
        await asyncio.wait_for(here.closed.wait(), 2)
        await forgotten(net)


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("/", {"x": "a\r\nb: c"}),
        ("/", {"x": "a\nb: c"}),
        ("/", {"x\r\ny": "a"}),
        ("/a b", {}),
        ("/\r\nx: y", {}),
        ("/", {"x": "\0"}),
    ],
)
async def test_no_text_can_begin_a_line_of_its_own(url: str, headers: dict[str, str]) -> None:
    async with site(reply(b"")) as here, OutboundClient() as net:
        with pytest.raises(ValueError, match="control characters"):
            await net.send("GET", here.url(path=url), headers=headers)
    assert here.connections == 0


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http:///x", "http://user@127.0.0.1/", "127.0.0.1"])
async def test_what_leads_to_no_web_host_is_not_asked(url: str) -> None:
    async with OutboundClient() as net:
        with pytest.raises(HttpError) as caught:
            await net.send("GET", url)
    assert (caught.value.fault, caught.value.sent) == ("refused", False)


def test_the_loop_that_ships_does_the_same() -> None:
    async def all_of_it() -> None:
        async with (
            site(reply(gzip.compress(b"[1]", mtime=0), "content-encoding: gzip")) as here,
            OutboundClient() as net,
        ):
            async with anyio.create_task_group() as tasks:
                for _ in range(50):
                    tasks.start_soon(net.send, "GET", here.url())
            assert (await net.send("POST", here.url(), body=b"{}")).body == b"[1]"
        assert here.connections <= 50
        async with site(OK + b"\r\nabc", stop_after=1) as here, OutboundClient() as net:
            assert (await net.send("GET", here.url())).body == b"abc"
        async with OutboundClient() as net:
            with pytest.raises(HttpError) as caught:
                await net.send("GET", "http://127.0.0.1:1/")
            assert caught.value.fault == "refused"

    anyio.run(all_of_it, backend_options={"use_uvloop": True})
