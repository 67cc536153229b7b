"""A listener that must never be called: nothing a caller, a token or a tenant says makes the server connect to it."""

import asyncio
import base64
import json
from typing import Any

import pytest

from tests.support.raw_clients import LEGACY, MODERN, speaking
from tests.support.scripted_servers import Site, reply, site
from tests.support.shared_stack import World, beside


def domains(world: World, port: int) -> list[str]:
    """Ways to write the canary where a domain belongs."""
    own = world.domain()
    host = own.split("/")[2]
    return [
        f"http://127.0.0.1:{port}/api/v2/admin",
        f"http://localhost:{port}/api/v2/admin",
        f"http://canary.localhost:{port}/api/v2/admin",
        f"http://[::1]:{port}/api/v2/admin",
        f"http://2130706433:{port}/api/v2/admin",
        f"http://{host}@127.0.0.1:{port}/api/v2/admin",
        f"http://127.0.0.1:{port}#@{host}/api/v2/admin",
        f"http://127.0.0.1:{port}?@{host}/api/v2/admin",
        f"http://127.0.0.1:{port}\\@{host}/api/v2/admin",
        f"{own}@127.0.0.1:{port}/api/v2/admin",
        f"{own}/../../../../127.0.0.1:{port}/api/v2/admin",
        f"//127.0.0.1:{port}/api/v2/admin",
    ]


def pointing(world: World, port: int, part: str, member: str) -> str:
    """A genuine token with one member of header or payload turned into the canary's address."""
    url = f"http://127.0.0.1:{port}/.well-known/jwks.json"
    header, payload, signature = world.token("manager").split(".")
    parts = {"header": header, "payload": payload}
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(parts[part] + "=="))
    said[member] = url
    parts[part] = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    return f"{parts['header']}.{parts['payload']}.{signature}"


async def test_no_domain_leads_there(world: World) -> None:
    async with site(reply(b"{}")) as canary, speaking(world.origin) as http:
        for domain in domains(world, canary.port):
            for version in (LEGACY, MODERN):
                headers = world.headers("manager") | {"x-api-domain": domain}
                heard = await http.call("list_challenges", {}, headers=headers, version=version)
                assert heard.code in ("domain_malformed", "tenant_unknown"), domain
        assert canary.connections == 0


@pytest.mark.parametrize(
    ("part", "member"),
    [("header", name) for name in ("jku", "x5u", "kid", "jwk")] + [("payload", name) for name in ("iss", "aud", "sub")],
)
async def test_no_token_leads_there(world: World, part: str, member: str) -> None:
    async with site(reply(b"{}")) as canary, speaking(world.origin) as http:
        token = pointing(world, canary.port, part, member)
        headers = world.headers("manager") | {"authorization": f"Bearer {token}"}
        assert (await http.call("list_challenges", {}, headers=headers)).code == "token_invalid"
        assert canary.connections == 0


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_no_redirect_of_a_tenant_leads_there(world: World, status: str) -> None:
    async with site(reply(b"{}")) as canary:
        moved = reply(b"", f"location: http://127.0.0.1:{canary.port}/api/v2/admin/challenges", status=status)
        async with site(moved) as tenant:
            reached = {"acme": f"127.0.0.1:{tenant.port}"}
            async with beside(world, connect_to=reached) as origin, speaking(origin) as http:
                heard = await http.call("list_challenges", {}, headers=world.headers("manager"))
        assert heard.code == "upstream_invalid"
        assert canary.connections == 0


async def test_no_argument_leads_there(world: World) -> None:
    async with site(reply(b"{}")) as canary, speaking(world.origin) as http:
        for id_ in (
            f"//127.0.0.1:{canary.port}/x",
            f"http://127.0.0.1:{canary.port}",
            f"../..//127.0.0.1:{canary.port}",
            "@",
        ):
            for tool in ("get_challenge", "get_post", "get_user", "get_game"):
                heard = await http.call(tool, {"id": id_}, headers=world.headers("manager"))
                assert heard.code == "arguments_invalid"
            heard = await http.call("revoke_token", {"token_id": id_}, headers=world.headers("admin"))
            assert heard.code in ("arguments_invalid", "confirmation_required")
        assert canary.connections == 0


async def test_the_canary_would_sing() -> None:
    """The listener does notice a connection, so that the tests above can fail."""
    async with site(reply(b"{}")) as canary:
        await _connect(canary)
        assert canary.connections == 1


async def _connect(canary: Site) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", canary.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    await reader.readline()
    writer.close()
