"""What a hostile client or a hostile tenant may try on the server itself; each of these worked once."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import anyio
import mcp.types as t
import pytest
from mcp import Client
from mcp.client.sse import sse_client
from starlette.types import Receive, Scope, Send

from server.credentials.strict_json import strict_json
from server.http.client import OutboundClient
from server.http.port import HttpError, HttpResponse
from server.protocol.handlers import QUESTIONS
from server.serving.http_connection import HttpConnection
from server.serving.listener import bind, listen, read_port
from server.upstream import responses
from tests.support.raw_clients import speaking
from tests.support.scripted_servers import Peer, site
from tests.support.shared_stack import World
from tests.test_http_door import CALL, usual
from tools.api.operations import GET_CHALLENGE
from tools.refusals import ToolError


@asynccontextmanager
async def knocking(world: World) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection to the world's server."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def head(world: World, *lines: str) -> bytes:
    said = ["POST /mcp HTTP/1.1", *(f"{name}: {value}" for name, value in usual(world)), *lines]
    return "\r\n".join(said).encode()


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n" % (len(body), body)


@pytest.mark.parametrize(
    "trailer", ["x-api-domain: https://evil.nudj.cx/api/v2/admin", "x-agent-mode: planner", "host: x"]
)
async def test_what_follows_the_body_is_no_header(world: World, trailer: str) -> None:
    async with knocking(world) as (reader, writer):
        writer.write(head(world, "transfer-encoding: chunked", "connection: close") + b"\r\n\r\n")
        writer.write(chunked(CALL) + f"{trailer}\r\n\r\n".encode())
        answer = (await reader.read()).decode()
    assert answer.startswith("HTTP/1.1 200")
    assert '"ok":true' in answer
    assert '"mode":"builder"' in answer


@pytest.mark.parametrize(
    "lines",
    [
        ["content-length: 5", "transfer-encoding: chunked"],
        ["content-length: 5", "content-length: 6"],
        ["transfer-encoding: xchunked"],
        ["transfer-encoding : chunked"],
        ["x-a: b", " authorization: Bearer x"],
        ["x-a: b\nx-api-domain: c"],
        ["x-a: b\0c"],
    ],
    ids=str,
)
async def test_what_two_parsers_would_frame_differently_is_refused(world: World, lines: list[str]) -> None:
    async with knocking(world) as (reader, writer):
        writer.write(head(world, *lines) + b"\r\n\r\n0\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "begun",
    [
        b"POST /",
        b"POST /mcp HTTP/1.1\r\nx-long: ",
        b"POST /mcp HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-long: ",
    ],
    ids=["line", "header", "trailer"],
)
async def test_a_request_without_end_around_its_body_is_cut_off(world: World, begun: bytes) -> None:
    async with knocking(world) as (_, writer):
        writer.write(begun)
        with pytest.raises(ConnectionError):
            await _pour(writer, 20_000_000)


async def test_a_body_is_not_taken_without_end_once_it_is_answered(world: World) -> None:
    async with knocking(world) as (reader, writer):
        writer.write(head(world, "transfer-encoding: chunked") + b"\r\n\r\n40000000\r\n")
        await _pour(writer, 1_100_000)
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        with pytest.raises(ConnectionError):
            await _pour(writer, 60_000_000)


async def _pour(writer: asyncio.StreamWriter, size: int, what: bytes = b"a") -> None:
    much = what * (65_536 // len(what))
    for _ in range(0, size, len(much)):
        writer.write(much)
        await writer.drain()


class Hasty(HttpConnection):
    """Waits less long, so that the test does."""

    patience_s = 0.2


async def silent(_scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


FIRST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("before", "begun"),
    [
        (b"", b""),
        (b"", b"POST / HTTP/1.1\r\nhost:"),
        (b"", b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{"),
        (FIRST, b"POST / HTTP/1.1\r\nhost:"),
        (FIRST, b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{"),
    ],
)
async def test_a_request_that_does_not_arrive_is_not_waited_for(before: bytes, begun: bytes) -> None:
    bound = bind("127.0.0.1", 0)
    async with listen(silent, bound, each=Hasty):
        reader, writer = await asyncio.open_connection("127.0.0.1", read_port(bound))
        writer.write(before)
        if before:
            assert b" 204 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(begun)
        with anyio.fail_after(5), suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()


def endless(opening: bytes, rest: bytes) -> Peer:
    async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(opening)
        await _pour(writer, 60_000_000, rest)

    return pour


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("opening", "rest"),
    [
        (CHUNKED + b"\r\n0\r\n", b"x: y\r\n"),
        (CHUNKED + b"\r\n0\r\nx: ", b"a"),
        (CHUNKED + b"\r\n1;", b"a"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n" + gzip.compress(b"{}"), b"a"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10], b"\x00\x00\x00\xff\xff"),
    ],
    ids=["trailers", "trailer", "chunk extension", "after the end of gzip", "empty blocks of gzip"],
)
async def test_a_tenant_cannot_pour_out_more_than_the_cap_beside_its_answer(opening: bytes, rest: bytes) -> None:
    async with site(then=endless(opening, rest)) as here, OutboundClient() as net:
        with pytest.raises(HttpError) as caught:
            await net.send("GET", here.url(), cap=100_000, timeout_s=20.0)
    assert caught.value.fault in ("too_large", "protocol")


async def test_who_asks_and_does_not_read_is_not_listened_to(world: World) -> None:
    headers = world.headers("viewer") | {"x-toolsets": "all", "host": f"127.0.0.1:{world.port}"}
    lines = ["GET /sse HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    async with knocking(world) as (reader, writer), aiohttp.ClientSession() as session:
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        opening = (await reader.readuntil(b"session_id=") + await reader.readexactly(32)).decode()
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's own transport reads and writes
        url = world.origin + opening[opening.rindex("/messages/") :]

        async def ask(number: int) -> int:
            message = {"jsonrpc": "2.0", "id": number, "method": "tools/list"}
            async with session.post(url, json=message, headers=headers) as answer:
                return answer.status

        statuses = [await ask(number) for number in range(1000)]
        assert set(statuses) == {202, 429}
        assert statuses.count(202) < 400
        writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
        with anyio.fail_after(10):
            while await ask(2000) == 429:
                await reader.read(1_000_000)


async def test_one_person_is_asked_a_few_questions_at_a_time(world: World) -> None:
    asked, enough, answered = 0, asyncio.Event(), asyncio.Event()

    async def answer(context: Any, params: Any) -> t.ElicitResult | t.ErrorData:
        nonlocal asked
        asked += 1
        if asked == QUESTIONS:
            enough.set()
        await answered.wait()
        return t.ElicitResult(action="decline")

    async with speaking(world.origin) as http:
        listed = await http.call("list_challenges", {"limit": 1}, headers=world.headers("manager"))
    said = {"id": listed.envelope["data"]["items"][0]["id"]}
    transport = sse_client(f"{world.origin}/sse", headers=world.headers("manager"))
    async with (
        Client(transport, mode="legacy", elicitation_callback=answer) as client,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(QUESTIONS):
            tasks.start_soon(client.call_tool, "delete_challenge", said)
        with anyio.fail_after(10):
            await enough.wait()
            result = await client.call_tool("delete_challenge", said)
        assert json.loads(json.dumps(result.structured_content))["error"]["confirm"]
        answered.set()
    assert asked == QUESTIONS


@pytest.mark.parametrize("begun", [b'\\"', b'"', b"\\", b"["], ids=repr)
def test_no_text_in_a_token_takes_long_to_refuse(begun: bytes) -> None:
    started = time.process_time()
    with pytest.raises(json.JSONDecodeError):
        strict_json(b'{"a":"' + begun * 100_000)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "words", ["a" * 63_000, "aaaaaaaa." * 7_000, "-" * 8 + "." + "-" * 62_000], ids=lambda one: one[:12]
)
def test_no_words_of_a_tenant_take_long_to_clean(words: str) -> None:
    said = HttpResponse(500, {"content-type": "application/json"}, json.dumps({"message": words}).encode())
    started = time.process_time()
    with pytest.raises(ToolError):
        responses.read_value(said, GET_CHALLENGE, "a" * 24)
    assert time.process_time() - started < 0.5
