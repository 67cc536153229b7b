"""Real clients sign in through a scripted browser; what was chosen on the page is what their calls reach."""

import asyncio
import os
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from server.serving.listener import bind, read_port
from tests.support.client_processes import CONFORMANCE, MODULES, NODE, driven, needs_node
from tests.support.oauth_client import Person
from tests.support.scripted_browser import describe_person, install
from tests.support.shared_stack import World


class Storage:
    """Where the SDK keeps what it was given."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """See TokenStorage."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """See TokenStorage."""
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """See TokenStorage."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """See TokenStorage."""
        self.client = client_info


def consultant(world: World) -> Any:
    """Somebody who belongs to both organisations."""
    return next(each for each in world.local.sandbox.accounts if len(each.organisations) > 1)


@pytest.mark.parametrize(("path", "organisation"), [("/o/mcp", "globex"), ("/o/t/acme/mcp", "acme")])
async def test_the_python_sdk_signs_in(world: World, path: str, organisation: str) -> None:
    """A5."""
    came: dict[str, Any] = {}
    storage = Storage()

    async def open_browser(url: str) -> None:
        async with httpx.AsyncClient(timeout=30) as browser:
            came.update(await Person(consultant(world), browser).allow(url, organisation))

    async def wait_for_callback() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=came["code"], state=came["state"], iss=came["iss"])

    metadata = OAuthClientMetadata(redirect_uris=[AnyUrl("http://127.0.0.1:7777/callback")], client_name="Python SDK")
    provider = OAuthClientProvider(world.origin + path, metadata, storage, open_browser, wait_for_callback)
    async with (
        httpx2.AsyncClient(auth=provider, timeout=60, trust_env=False) as http,
        streamable_http_client(world.origin + path, http_client=http) as streams,
        ClientSession(streams[0], streams[1]) as session,
    ):
        await session.initialize()
        told = await session.call_tool("check_connection", {})
    assert told.structured_content is not None
    assert told.structured_content["data"]["api_domain"] == world.domain(organisation)
    assert storage.tokens is not None
    assert storage.tokens.refresh_token


@pytest.fixture
def port() -> int:
    """A port that is free, for a client that listens for its callback."""
    with bind("127.0.0.1", 0) as socket:
        return read_port(socket)


@pytest.mark.parametrize(("path", "organisation"), [("/o/mcp", "globex"), ("/o/t/acme/mcp", "acme")])
def test_mcp_remote_signs_in(world: World, tmp_path: Path, port: int, path: str, organisation: str) -> None:
    """A1."""
    needs_node()
    browser = install(tmp_path)
    environment = describe_person(consultant(world), organisation) | {
        "PATH": os.pathsep.join((str(tmp_path), str(NODE.parent), os.defpath)),
        "MCP_REMOTE_CONFIG_DIR": str(tmp_path / "kept"),
        "BROWSER": str(browser),
    }
    proxy = str(MODULES / "mcp-remote" / "dist" / "proxy.js")
    arguments = [proxy, world.origin + path, str(port), "--allow-http"]
    with driven("v1.mjs", {"command": str(NODE), "args": arguments, "env": environment}) as client:
        told = client.call("check_connection")["structuredContent"]["data"]
    assert told["api_domain"] == world.domain(organisation)
    kept = list((tmp_path / "kept").rglob("*tokens.json"))
    assert len(kept) == 1


async def test_no_client_of_the_static_door_is_led_into_a_sign_in(world: World) -> None:
    """A6, T19: what a client with headers may probe says nothing."""
    async with httpx.AsyncClient() as http:
        for path in ("", "/mcp", "/sse", "/t/acme/mcp"):
            for page in ("oauth-protected-resource", "oauth-authorization-server", "openid-configuration"):
                answer = await http.get(f"{world.origin}/.well-known/{page}{path}")
                assert answer.status_code == 404
        refused = await http.post(f"{world.origin}/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        assert "www-authenticate" not in refused.headers


async def test_the_published_suite_passes_over_the_authorization_server(world: World) -> None:
    """A7."""
    needs_node()
    sandbox = world.local.sandbox
    async with httpx.AsyncClient(timeout=60) as http:
        metadata = {"redirect_uris": ["http://127.0.0.1:3999/callback"]}
        registered = (await http.post(f"{sandbox.issuer}/oauth/register", json=metadata)).json()
        words = ["authorization", "--url", sandbox.issuer, "--client-id", registered["client_id"], "-p", "3999"]
        command = [str(NODE), str(CONFORMANCE), *words, "--resource", f"{world.origin}/o/mcp"]
        suite = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert suite.stdout is not None
        said = ""
        async for line in suite.stdout:
            said += line.decode()
            if line.startswith(f"{sandbox.issuer}/oauth/authorize?".encode()):
                person = Person(consultant(world), http)
                page = await person.sign_in(line.decode().strip())
                answer = await person.submit(page, "allow", organisation="acme")
                await http.get(answer.headers["location"])
        assert await suite.wait() == 0, said
    assert "Total: 2 passed, 0 failed" in said
