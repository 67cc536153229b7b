"""A tenant that fails in every way one can: each gives one code, nothing leaks or hangs, and the server stays up."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from tests.support.raw_clients import LEGACY, MODERN, Heard, Http, speaking, streaming
from tests.support.scripted_servers import Peer, Site, reply, site
from tests.support.shared_stack import Kept, World, beside

JSON = "content-type: application/json"
ID = "0123456789abcdef01234567"


@dataclass(frozen=True)
class Fault:
    """One way to fail, and what must come of it: `read` of a read, `write` of a write when that differs."""

    said: bytes | Peer
    read: str
    write: str | None = None
    reason: str | None = None
    retryable: bool = False
    more: dict[str, Any] = field(default_factory=dict)


def _error(status: str, message: str = "No.") -> bytes:
    said = {"message": message, "code": "X", "data": {"httpStatus": int(status[:3]), "path": "getTheme"}}
    return reply(json.dumps(said).encode(), JSON, status=status)


async def _silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await anyio.sleep(5)


async def _half(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n" + b'{"theme":')
    await writer.drain()


async def _endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50000000\r\n\r\n")
    for _ in range(50):
        writer.write(b" " * 1_000_000)
        await writer.drain()


async def _nonsense(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    await writer.drain()


FAULTS = {
    "400": Fault(_error("400 Bad Request", "body.font: Must be text"), "arguments_invalid"),
    "401": Fault(_error("401 Unauthorized"), "upstream_unauthorized"),
    "403": Fault(_error("403 Forbidden"), "upstream_forbidden"),
    "404": Fault(_error("404 Not Found"), "not_found"),
    "409": Fault(_error("409 Conflict"), "conflict"),
    "429": Fault(
        reply(b"{}", JSON, "retry-after: 7", status="429 Too Many Requests"),
        "rate_limited",
        reason="upstream",
        retryable=True,
        more={"retry_after_s": 7.0},
    ),
    "500": Fault(_error("500 Internal Server Error"), "upstream_unavailable", retryable=True),
    "503": Fault(_error("503 Service Unavailable"), "upstream_unavailable", retryable=True),
    "teapot": Fault(_error("418 I am a teapot"), "upstream_invalid"),
    "HTML": Fault(reply(b"<h1>Welcome</h1>", "content-type: text/html"), "upstream_invalid", reason="not_the_api"),
    "half JSON": Fault(reply(b'{"theme": ', JSON), "upstream_invalid"),
    "NaN": Fault(reply(b'{"theme": NaN}', JSON), "upstream_invalid"),
    "a bare value": Fault(reply(b'"theme"', JSON), "upstream_invalid"),
    "50 MB": Fault(_endless, "result_too_large", "upstream_invalid"),
    "silence": Fault(_silent, "upstream_timeout", retryable=True),
    "dropped mid-body": Fault(_half, "upstream_unavailable", reason="dropped", retryable=True),
    "not HTTP": Fault(_nonsense, "upstream_invalid"),
}


@asynccontextmanager
async def broken(world: World, fault: bytes | Peer, **settings: Any) -> AsyncIterator[tuple[Http, Site]]:
    """A server whose acme is like this; globex is the world's own."""
    async with (
        site(then=fault) if callable(fault) else site(fault) as tenant,
        beside(world, connect_to={"acme": f"127.0.0.1:{tenant.port}"}, upstream_timeout_s=0.6, **settings) as origin,
        speaking(origin) as http,
    ):
        yield http, tenant


@pytest.mark.parametrize("name", FAULTS)
async def test_what_a_tenant_does_wrong_has_one_code_and_harms_nobody_else(world: World, name: str) -> None:
    fault = FAULTS[name]
    async with broken(world, fault.said) as (http, _tenant):
        read = await http.call("get_theme", {}, headers=world.headers())
        write = await http.call("update_theme", {"border_radius": "4px"}, headers=world.headers(), version=LEGACY)
        error = read.envelope["error"]
        assert error["code"] == fault.read, error
        assert (error.get("reason"), error["retryable"]) == (fault.reason, fault.retryable)
        assert fault.more.items() <= error.items()
        assert write.code == (fault.write or fault.read)
        assert not write.envelope["error"]["retryable"] or fault.read == "rate_limited"
        assert b"Welcome" not in read.raw
        assert (await http.call("get_theme", {}, headers=world.headers("admin", "globex"))).code == "ok"


async def test_a_tenant_that_cannot_be_reached_is_told_apart(world: World) -> None:
    async with site(b"") as gone:
        address = f"127.0.0.1:{gone.port}"
    async with beside(world, connect_to={"acme": address}) as origin, speaking(origin) as http:
        heard = await http.call("get_theme", {}, headers=world.headers())
        assert heard.code == "upstream_unavailable"
        assert heard.envelope["error"]["reason"] == "refused"


async def test_a_redirect_is_an_answer_and_nobody_is_called_elsewhere(world: World) -> None:
    async with site(reply(b"{}", JSON)) as canary:
        moved = reply(b"", f"location: {canary.url()}", status="307 Temporary Redirect")
        async with broken(world, moved) as (http, _tenant):
            assert (await http.call("get_theme", {}, headers=world.headers())).code == "upstream_invalid"
        assert canary.connections == 0


async def test_the_tenants_words_come_bounded_and_labelled_and_without_tokens(world: World) -> None:
    words = f"Bad \u202e token {world.token()} " + "and so on " * 200
    async with broken(world, _error("400 Bad Request", words)) as (http, _tenant):
        heard = await http.call("get_theme", {}, headers=world.headers())
        error = heard.envelope["error"]
        assert error["upstream"].startswith("Bad token *** and so on")
        assert len(error["upstream"]) <= 300
        assert world.token() not in heard.raw.decode()
        assert "so on" not in error["message"] + error["hint"]


@pytest.mark.parametrize("tool", ["get_challenge", "list_challenges"])
async def test_what_names_another_organisation_is_withheld_whatever_the_tenant_thinks(world: World, tool: str) -> None:
    foreign = {"id": ID, "organisationId": world.organisations["globex"]["id"], "details": {"title": "Secret"}}
    body = foreign if tool == "get_challenge" else {"totalCount": 1, "edges": [foreign]}
    async with broken(world, reply(json.dumps(body).encode(), JSON)) as (http, _tenant):
        heard = await http.call(tool, {"id": ID} if tool == "get_challenge" else {}, headers=world.headers())
        assert heard.code == ("not_found" if tool == "get_challenge" else "upstream_invalid")
        assert b"Secret" not in heard.raw
        assert world.organisations["globex"]["id"].encode() not in heard.raw


async def _waits_for_the_end(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _gone(audit: Kept) -> None:
    with anyio.fail_after(5):
        while '"cancelled"' not in audit.text:  # noqa: ASYNC110 - a sink has no event to wait for
            await anyio.sleep(0.02)


@pytest.mark.parametrize("version", [MODERN, LEGACY])
async def test_a_client_that_goes_away_takes_its_upstream_call_with_it(world: World, version: str) -> None:
    audit = Kept()
    async with broken(world, _waits_for_the_end, audit=audit) as (http, tenant):
        with anyio.move_on_after(0.3):
            await http.call("get_theme", {}, headers=world.headers(), version=version)
        with anyio.fail_after(0.25):
            await tenant.closed.wait()
        await _gone(audit)


async def test_a_stream_that_is_closed_takes_its_upstream_calls_with_it(world: World) -> None:
    audit = Kept()
    async with site(then=_waits_for_the_end) as tenant:
        reached = {"acme": f"127.0.0.1:{tenant.port}"}
        async with beside(world, connect_to=reached, audit=audit) as origin:
            async with streaming(origin, world.headers()) as stream:
                with anyio.move_on_after(0.3):
                    await stream.call("get_theme", {})
            with anyio.fail_after(2):
                await tenant.closed.wait()
            await _gone(audit)


async def test_a_call_has_an_end_whatever_the_tenant_does(world: World) -> None:
    async with broken(world, _silent, call_timeout_s=0.3) as (http, _tenant):
        heard: Heard = await http.call("get_theme", {}, headers=world.headers())
        assert heard.code == "upstream_timeout"
