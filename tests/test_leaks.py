"""Whatever a token is sent in, and whatever goes wrong with it, it is written down nowhere."""

import base64
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from itertools import product
from typing import Any

import aiohttp
import pytest

from server.observability.logs import JsonLines
from tests.support.raw_clients import LEGACY, MODERN, child, speaking, streaming
from tests.support.replicas import free_port
from tests.support.scripted_servers import reply, site
from tests.support.shared_stack import Kept, World, beside


def traces(text: str, *secrets: str) -> list[str]:
    """The secrets of which a text shows a part that cannot be there by chance: whole, or any segment of a token."""
    found = []
    for secret in secrets:
        parts = [part for part in secret.split(".") if len(part) >= 16]
        again = base64.b64encode(secret.encode()).decode().rstrip("=")
        if any(part in text for part in (*parts[1:], again, secret)):
            found.append(secret[:12])
    return found


@contextmanager
def noted() -> Iterator[StringIO]:
    """Everything any logger says, as the server's log would have it at its most talkative."""
    text, root = StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(text), root.level
    handler.setFormatter(JsonLines())
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield text
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def places(world: World, token: str) -> list[dict[str, Any]]:
    """Headers and arguments with a token where it belongs and where it does not."""
    good = world.headers("manager") | {"authorization": f"Bearer {token}"}
    return [
        {"headers": good, "arguments": {}},
        {"headers": good | {"x-api-domain": world.domain("globex")}, "arguments": {}},
        {"headers": {"x-api-domain": world.domain(), "x-api-token": token}, "arguments": {}},
        {"headers": good | {"x-api-token": world.token("x_api_token")}, "arguments": {}},
        {"headers": good | {"x-api-domain": token}, "arguments": {}},
        {"headers": good | {"x-api-domain": f"Bearer {token}"}, "arguments": {}},
        {"headers": good | {"x-agent-mode": token}, "arguments": {}},
        {"headers": good | {"x-toolsets": token}, "arguments": {}},
        {"headers": good | {"authorization": token}, "arguments": {}},
        {"headers": good | {"authorization": f"Basic {token}"}, "arguments": {}},
        {"headers": good | {"authorization": f"Bearer {token} {token}"}, "arguments": {}},
        {"headers": good | {"traceparent": token, "user-agent": token, "cookie": token}, "arguments": {}},
        {"headers": good, "arguments": {"limit": token}},
        {"headers": good, "arguments": {token: 1}},
        {"headers": good, "arguments": {"fields": [token]}},
        {"headers": good, "arguments": {"cursor": token}},
        {"headers": good, "arguments": {"language": token}},
    ]


async def everywhere(world: World, origin: str, token: str) -> str:
    """Send a token in every place over every wire; all that came back."""
    heard = []
    async with speaking(origin) as http, streaming(origin, world.headers("manager")) as stream:
        for place, version in product(places(world, token), (MODERN, LEGACY)):
            heard.append((await http.call("list_challenges", version=version, **place)).raw)
        await http.ask(token, headers=world.headers())  # JSON-RPC tells the sender which method it does not know
        heard.append((await http.ask("tools/list", headers=world.headers(), path=f"/mcp?token={token}")).raw)
        heard.append((await http.post(f"/t/{token}/mcp", token.encode(), [])).raw)
        heard.append((await http.call("get_challenge", {"id": token}, headers=world.headers(), id_=9)).raw)
        heard.append((await stream.call("list_challenges", {"cursor": token})).raw)
        heard.append(await _sent_to_messages(origin, token))
    return b"\n".join([*heard, *stream.raw]).decode()


async def _sent_to_messages(origin: str, token: str) -> bytes:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{origin}/messages/?session_id={token}", data=token) as answer,
    ):
        return await answer.read()


async def test_a_token_in_any_place_is_written_down_nowhere(world: World) -> None:
    audit, port = Kept(), free_port()
    tokens = [world.mint("acme", role="manager"), world.token("expired"), world.token("forged"), world.token("revoked")]
    with noted() as log:
        async with beside(world, audit=audit, metrics_port=port) as origin:
            said = "".join([await everywhere(world, origin, token) for token in tokens])
            async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                metrics = await answer.text()
    assert "list_challenges" in audit.text
    assert "nudj" in metrics
    assert log.getvalue().count("\n") > 50
    everything = {"audit": audit.text, "log": log.getvalue(), "metrics": metrics, "answers": said}
    found = {where: traces(text, *tokens) for where, text in everything.items()}
    assert not any(found.values()), found


async def test_a_stdio_child_tells_neither_of_its_streams_its_token(world: World) -> None:
    for name in ("manager", "expired", "forged"):
        async with child(world, world.headers(name)) as here:
            await here.call("list_challenges", {"limit": 1})
            await here.call("list_challenges", {world.token(name): 1}, id_=2)
            told = traces(b"".join(here.raw).decode(), world.token(name))
            assert not told
    written = traces(world.written(), *world.secrets())
    assert not written


async def test_a_tenant_that_repeats_a_token_does_not_get_it_passed_on(world: World) -> None:
    token, audit = world.token("manager"), Kept()
    words = json.dumps({"message": f"bad token {token}; Bearer {token}", "code": token, "data": {"httpStatus": 400}})
    with noted() as log:
        async with site(reply(words.encode(), "content-type: application/json", status="400 Bad Request")) as tenant:
            reached = {"acme": f"127.0.0.1:{tenant.port}"}
            async with beside(world, connect_to=reached, audit=audit) as origin, speaking(origin) as http:
                heard = await http.call("get_theme", {}, headers=world.headers("manager"))
    assert token in tenant.heads[0]
    assert heard.code == "arguments_invalid"
    found = traces(heard.raw.decode() + audit.text + log.getvalue(), token)
    assert not found


async def test_a_fault_of_the_server_itself_shows_no_token_in_its_traceback(world: World) -> None:
    token, audit = world.token("manager"), Kept()
    with noted() as log:
        async with beside(world, audit=audit, upstream_timeout_s="no number") as origin, speaking(origin) as http:
            heard = await http.call("get_theme", {}, headers=world.headers("manager"))
    assert heard.code == "internal"
    assert "Traceback" in log.getvalue()
    found = traces(heard.raw.decode() + audit.text + log.getvalue(), token)
    assert not found


@pytest.mark.parametrize("written", ["{}", "cut ...{}", "a line\nBearer {}\n", '{{"token": "{}"}}'])
def test_the_search_finds_a_token_however_it_is_written_down(world: World, written: str) -> None:
    token = world.token()
    shown = [token, token[20:], token.rpartition(".")[2], base64.b64encode(token.encode()).decode()]
    for one in shown:
        assert traces(written.format(one), token)
    assert not traces(written.format("***"), token)
    assert not traces(written.format(os.urandom(3000).hex()), token)
