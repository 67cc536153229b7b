"""The outermost door: what is settled about a request before anybody asks who sent it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress

import aiohttp
import anyio
import pytest

from tests.support.raw_clients import LEGACY, MODERN, speaking, streaming
from tests.support.shared_stack import Kept, World, beside

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'


async def raw(port: int, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> str:
    """One request exactly as written, and the whole answer to it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    lines += [f"content-length: {len(body)}", "connection: close"]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    answer = (await reader.read()).decode()
    await _closed(writer)
    return answer


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def status(answer: str) -> int:
    """The status of a raw answer."""
    return int(answer.split(" ", 2)[1])


def usual(world: World, **instead: str) -> list[tuple[str, str]]:
    """The headers of a good legacy request, some of them otherwise."""
    said = {
        "host": f"127.0.0.1:{world.port}",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": LEGACY,
        **world.headers("manager"),
    }
    return list((said | {name.replace("_", "-"): value for name, value in instead.items()}).items())


CALL = json.dumps(
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "check_connection", "arguments": {}}}
).encode()


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "evil.example:4010", "127.0.0.1:x", "127.0.0.1:1:2", ""],
)
async def test_only_hosts_that_are_served_are_answered(world: World, host: str) -> None:
    assert status(await raw(world.port, "POST", "/mcp", usual(world, host=host), CALL)) == 421
    assert status(await raw(world.port, "GET", "/sse", usual(world, host=host))) == 421


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1", "[::1]:4010"])
async def test_the_hosts_that_are_served_are_answered(world: World, host: str) -> None:
    assert status(await raw(world.port, "POST", "/mcp", usual(world, host=host), CALL)) == 200


async def test_two_hosts_are_no_host(world: World) -> None:
    twice = [("host", "evil.example"), *usual(world)]
    assert status(await raw(world.port, "POST", "/mcp", twice, CALL)) in (400, 421)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://", ""])
async def test_a_page_of_another_origin_may_not_call(world: World, origin: str) -> None:
    for path in ("/mcp", "/messages/?session_id=0"):
        answer = await raw(world.port, "POST", path, usual(world, origin=origin), CALL)
        assert status(answer) == 403
        assert "www-authenticate" not in answer.lower()


async def test_a_page_of_this_machine_may_call(world: World) -> None:
    answer = await raw(world.port, "POST", "/mcp", usual(world, origin="http://localhost:6274"), CALL)
    assert status(answer) == 200


@pytest.mark.parametrize("path", ["/mcp", "/t/acme/mcp"])
async def test_a_body_over_the_cap_is_refused_before_it_is_sent(world: World, path: str) -> None:
    for version in (MODERN, LEGACY):
        headers = [*usual(world, mcp_protocol_version=version), ("content-length", "1000001")]
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n{")
        with anyio.fail_after(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        await _closed(writer)


async def test_a_body_that_never_says_its_size_is_cut_off_at_the_cap(world: World) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 100_000
            yield b" " * 100_000

    async with aiohttp.ClientSession() as session:
        with suppress(aiohttp.ClientOSError):  # the server may hang up on what is still coming
            async with session.post(f"{world.origin}/mcp", data=chunks(), headers=dict(usual(world))) as answer:
                assert answer.status == 413
    await anyio.sleep(0.05)  # what the session closes, the loop ends a moment later
    assert sent < 50_000_000


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH"])
@pytest.mark.parametrize("version", [MODERN, LEGACY])
async def test_mcp_takes_post_alone(world: World, method: str, version: str) -> None:
    answer = await raw(world.port, method, "/mcp", usual(world, mcp_protocol_version=version))
    assert status(answer) == 405
    assert "allow: post" in answer.lower()


@pytest.mark.parametrize("at", ["", "/mcp", "/sse"])
@pytest.mark.parametrize("page", ["oauth-protected-resource", "oauth-authorization-server", "openid-configuration"])
async def test_no_page_invites_a_client_into_oauth(world: World, page: str, at: str) -> None:
    for path in (f"/.well-known/{page}{at}", f"{at}/.well-known/{page}"):
        answer = await raw(world.port, "GET", path, [("host", "localhost")])
        assert status(answer) == 404
        assert "www-authenticate" not in answer.lower()


async def test_a_post_to_sse_lets_clients_fall_back(world: World) -> None:
    assert status(await raw(world.port, "POST", "/sse", usual(world), CALL)) in (404, 405)


PATHS = [
    "/t/ACME/mcp",
    "/t/Acme/mcp",
    "/t/%61cme/mcp",
    "/t/acme%2fmcp",
    "/t/acme//mcp",
    "//t/acme/mcp",
    "/t//acme/mcp",
    "/t//mcp",
    "/t/acme/%6dcp",
    "/t/acme/mcp%00",
    "/t/acme/sse",
    "/t/acme/../globex/mcp",
    "/t/acme/./mcp",
    "/t/acme;x/mcp",
    "/t/ac_me/mcp",
    "/t/ac.me/mcp",
    "/t/" + "a" * 64 + "/mcp",
    "/T/acme/mcp",
    "/x/t/acme/mcp",
]


@pytest.mark.parametrize("path", PATHS)
async def test_the_path_form_has_one_spelling(world: World, path: str) -> None:
    assert status(await raw(world.port, "POST", path, usual(world), CALL)) == 404


async def test_forwarded_headers_say_nothing(world: World) -> None:
    lies = usual(
        world,
        x_forwarded_host="globex.localhost",
        x_forwarded_proto="https",
        x_forwarded_for="10.0.0.1",
        x_forwarded_prefix="/t/globex",
        x_original_url="/t/globex/mcp",
        forwarded='host="globex.localhost"',
    )
    answer = await raw(world.port, "POST", "/mcp", lies, CALL)
    assert world.organisations["acme"]["id"] in answer
    assert world.organisations["globex"]["id"] not in answer
    assert status(await raw(world.port, "POST", "/mcp", [*lies[1:], ("host", "evil.example")], CALL)) == 421


async def test_credentials_in_the_query_are_no_credentials(world: World) -> None:
    path = f"/mcp?token={world.token()}&authorization=Bearer%20{world.token()}"
    headers = [pair for pair in usual(world) if pair[0] != "authorization"]
    assert "credentials_missing" in await raw(world.port, "POST", path, headers, CALL)


async def test_a_deployment_may_refuse_at_the_door_without_a_challenge(world: World) -> None:
    audit = Kept()
    async with beside(world, audit=audit, auth_refuse_at="transport") as origin, speaking(origin) as http:
        for headers in (world.headers("expired"), {}, world.headers() | {"x-api-domain": world.domain("globex")}):
            for version in (MODERN, LEGACY):
                heard = await http.call("check_connection", {}, headers=headers, version=version)
                assert heard.status == 403
                error = heard.message["error"]
                assert error["data"]["code"] in ("token_expired", "credentials_missing", "organisation_mismatch")
                assert error["message"]
                assert "WWW-Authenticate" not in heard.headers
        assert (await http.call("check_connection", {}, headers=world.headers())).code == "ok"
        assert (await http.call("create_tag", {}, headers=world.headers("viewer"))).code == "role_denied"
    lines = [json.loads(line) for line in audit.text.splitlines()]
    codes = ["token_expired", "credentials_missing", "organisation_mismatch"]
    assert [line["code"] for line in lines] == [*(code for code in codes for _ in "12"), None, "role_denied"]


@pytest.mark.parametrize("page", ["/healthz", "/readyz"])
async def test_health_pages_answer_whoever_asks(world: World, page: str) -> None:
    answer = await raw(world.port, "GET", page, [("host", "10.0.0.7:4010")])
    assert status(answer) == 200
    assert world.organisations["acme"]["id"] not in answer


async def test_nobody_speaks_on_a_stream_of_another_or_of_nobody(world: World) -> None:
    mine = world.headers("manager")
    async with streaming(world.origin, mine) as stream:
        await stream.ask("ping")
        strangers: list[Mapping[str, str]] = [
            world.headers("manager", "globex"),
            world.headers("admin"),
            world.headers("expired"),
            {"x-api-domain": world.domain()},
            mine | {"x-api-domain": world.domain("globex")},
        ]
        for headers in strangers:
            assert (await stream.call("check_connection", {}, headers=headers, id_=9)).status == 404
        assert (await stream.call("check_connection", {})).code == "ok"
        stream.endpoint = "/messages/?session_id=" + "0" * 32
        assert (await stream.call("check_connection", {}, id_=9)).status == 404
        assert len(stream.raw) == 3


async def _opened(session: aiohttp.ClientSession, origin: str, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
    return await session.get(f"{origin}/sse", headers=headers)


async def test_streams_are_capped_for_each_caller_for_strangers_and_in_all(world: World) -> None:
    async with (
        beside(world, sse_streams=50, drain_s=0.0) as origin,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        mine = [await _opened(session, origin, world.headers()) for _ in range(17)]
        assert [answer.status for answer in mine] == [200] * 16 + [503]
        odd = [await _opened(session, origin, world.headers("expired") | {"x-n": str(n)}) for n in range(33)]
        assert [answer.status for answer in odd] == [200] * 32 + [503]
        others = [await _opened(session, origin, world.headers("viewer", "globex")) for _ in range(3)]
        assert [answer.status for answer in others] == [200] * 2 + [503]
        assert others[-1].headers["retry-after"]
        mine[0].close()
        opened = [*mine, *odd, *others]
        with anyio.fail_after(3):
            while opened[-1].status != 200:
                await anyio.sleep(0.05)
                opened.append(await _opened(session, origin, world.headers("viewer", "globex")))
        for answer in opened:
            answer.close()
