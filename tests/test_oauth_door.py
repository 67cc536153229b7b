"""The OAuth door of the MCP server: who comes in, what the others are told, and what never goes upstream."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.serving.listener import bind, listen, read_port
from server.settings import SettingsError, load_settings
from server.upstream.token_exchange import ACCESS_TOKEN
from tests.support.oauth_client import Person, Program, claims
from tests.support.raw_clients import LEGACY
from tests.support.shared_stack import World, beside
from tests.support.token_issuer import document, jwk, mint

BASE = "https://mcp.example/nudj"
DOOR = f"{BASE}/o/mcp"


def call(tool: str = "check_connection", **arguments: Any) -> dict[str, Any]:
    """One tools/call."""
    params = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


async def send(
    http: httpx.AsyncClient, url: str, token: str | None, body: Any = None, **headers: str
) -> httpx.Response:
    """One request of a client of the OAuth door."""
    said = {"accept": "application/json, text/event-stream", "mcp-protocol-version": LEGACY}
    said |= {} if token is None else {"authorization": f"Bearer {token}"}
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return await http.post(url, json=body or call(), headers=said | more)


def read(answer: httpx.Response) -> dict[str, Any]:
    """The envelope of a tool's answer."""
    assert answer.status_code == 200, answer.text
    line = next(line for line in answer.text.splitlines() if line.startswith("data: "))
    found: dict[str, Any] = json.loads(line[6:])["result"]["structuredContent"]
    return found


def code(answer: httpx.Response) -> str:
    """`ok`, or the code of the refusal."""
    envelope = read(answer)
    return "ok" if envelope["ok"] else str(envelope["error"]["code"])


@asynccontextmanager
async def visiting() -> AsyncIterator[httpx.AsyncClient]:
    """A client with patience."""
    async with httpx.AsyncClient(timeout=60) as http:
        yield http


async def connect(
    world: World, http: httpx.AsyncClient, organisation: str = "acme", path: str = "/o/mcp", **fields: str | None
) -> tuple[Program, dict[str, Any]]:
    """A program that was allowed at the world's own door, and its tokens."""
    issuer = world.local.sandbox.issuer
    registered = world.portal.call(_register, world)
    program = Program(http, issuer, registered)
    account = next(each for each in world.local.sandbox.accounts if len(each.organisations) > 1)
    async with visiting() as browser:
        person = Person(account, browser)
        answered = await person.allow(program.link(f"{world.origin}{path}"), organisation, **fields)
    tokens = await program.redeem(answered["code"])
    assert tokens.status_code == 200, tokens.text
    return program, tokens.json()


async def _register(world: World) -> str:
    """Past the HTTP endpoint, which takes twenty in a minute and no more."""
    from server.sandbox.oauth.records import RegisteredClient  # noqa: PLC0415

    client = RegisteredClient(f"c-{secrets.token_hex(8)}", "A program", ("http://127.0.0.1/callback",))
    world.local.sandbox.oauth._records.add_client(client)
    return client.id


@dataclass
class Issuer:
    """An authorization server that says what it is told to, and counts who asks."""

    url: str = ""
    active: Mapping[str, Any] | Response = field(default_factory=dict)
    exchanged: Mapping[str, Any] | Response | list[Any] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    keys: int = 0

    def token(self, world: World, organisation: str = "acme", **changed: Any) -> str:
        """A token of this issuer for the door of `BASE`."""
        return mint(**({"type": None} | self.claims(world, organisation) | changed))

    def claims(self, world: World, organisation: str = "acme") -> dict[str, Any]:
        """What such a token says."""
        key, now = world.organisations[organisation]["id"], int(time.time())
        own = {"iss": self.url, "aud": DOOR, "organisationId": key, "roles": [f"orgId-{key}:role-admin"]}
        times = {"iat": now - 5, "exp": now + 3600}
        return own | times | {"jti": secrets.token_hex(8), "scope": "nudj:read nudj:write", "sub": "user-1"}

    async def answer(self, request: Request) -> Response:
        """One answer of either endpoint."""
        sent = {name: str(value) for name, value in (await request.form()).items()}
        self.asked.append(sent | {"authorization": request.headers.get("authorization", "")})
        said: Any = self.active if request.url.path == "/introspect" else self.exchanged
        if isinstance(said, list):
            said = said.pop(0) if len(said) > 1 else said[0]
        return said if isinstance(said, Response) else JSONResponse(said)

    async def serve_keys(self, _request: Request) -> Response:
        """The key set."""
        self.keys += 1
        return Response(document(jwk("ES256")), media_type="application/json")


@asynccontextmanager
async def issuing(world: World, tmp_path: Path, how: str, **settings: Any) -> AsyncIterator[tuple[Issuer, str]]:
    """A server beside the world's, whose OAuth door trusts another issuer; gives the issuer and the server's door.

    Parameters:
        how: `jwks` or `introspection`.
    """
    peer = Issuer()
    secret = tmp_path / "secret"
    secret.write_text("a secret: with signs&\n")
    socket = bind("127.0.0.1", 0)
    peer.url = f"http://127.0.0.1:{read_port(socket)}"
    routes = [
        Route("/introspect", peer.answer, methods=["POST"]),
        Route("/token", peer.answer, methods=["POST"]),
        Route("/jwks", peer.serve_keys),
    ]
    told = {
        "public_url": BASE,
        "oauth_issuer": peer.url,
        "oauth_jwks_url": f"{peer.url}/jwks" if how == "jwks" else None,
        "oauth_introspection_url": f"{peer.url}/introspect" if how == "introspection" else None,
        "oauth_client_id": "the server",
        "oauth_client_secret_file": secret,
        "oauth_exchange_url": f"{peer.url}/token",
        "oauth_exchange_audience": None,
        "revocations_url": None,
    }
    with socket:
        async with listen(Starlette(routes=routes), socket), beside(world, **(told | settings)) as origin:
            yield peer, f"{origin}/nudj/o/mcp"


def exchanged(world: World, organisation: str = "acme", **instead: Any) -> dict[str, Any]:
    """A good answer to an exchange: a token of the tenant's own, for the same person."""
    token = world.mint(organisation, role="admin", subject="user-1")
    good = {"access_token": token, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300}
    return {name: value for name, value in (good | instead).items() if value is not None}


async def test_without_a_token_the_client_learns_where_to_sign_in(world: World) -> None:
    async with visiting() as http:
        for path in ("/o/mcp", "/o/t/acme/mcp", "/o/t/nobody-there/mcp"):
            answer = await send(http, world.origin + path, None)
            metadata = f"{world.origin}/.well-known/oauth-protected-resource{path}"
            challenge = f'Bearer resource_metadata="{metadata}", scope="nudj:read nudj:write"'
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, challenge)
            told = (await http.get(metadata)).json()
            assert told["resource"] == world.origin + path
            assert told["authorization_servers"] == [world.local.sandbox.issuer]
            assert told["bearer_methods_supported"] == ["header"]


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Basic eA=="},
        {"authorization": "Bearer"},
        {"authorization": "Bearer  two spaces"},
        {"authorization": "Bearer a,b"},
        {"authorization": "Bearer x.y.z"},
        {"x-api-token": "x.y.z"},
    ],
)
async def test_what_is_no_access_token_is_401_with_a_reason(world: World, headers: dict[str, str]) -> None:
    async with visiting() as http:
        answer = await http.post(f"{world.origin}/o/mcp", json=call(), headers=headers)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert "x.y.z" not in answer.text + str(answer.headers)


async def test_the_chosen_organisation_is_where_calls_go_and_a_header_changes_nothing(world: World) -> None:
    async with visiting() as http:
        _program, tokens = await connect(world, http, "globex", read_only=None)
        url, token = f"{world.origin}/o/mcp", tokens["access_token"]
        told = read(await send(http, url, token))["data"]
        assert told["api_domain"] == world.domain("globex")
        assert code(await send(http, url, token, call("list_challenges", limit=1))) == "ok"
        assert code(await send(http, url, token, x_api_domain=world.domain("globex"))) == "ok"
        assert code(await send(http, url, token, x_api_domain=world.domain("acme"))) == "domain_conflict"
        for method in ("initialize", "tools/list", "ping"):
            assert (await send(http, url, None, {"jsonrpc": "2.0", "id": 1, "method": method})).status_code == 401
        assert (await http.get(url)).status_code == (await http.delete(url)).status_code == 405
        assert (await http.get(f"{world.origin}/o/sse")).status_code == 404


async def test_a_connection_that_may_only_read_reads(world: World) -> None:
    async with visiting() as http:
        _program, tokens = await connect(world, http)
        url, token = f"{world.origin}/o/mcp", tokens["access_token"]
        assert code(await send(http, url, token, call("list_challenges", limit=1))) == "ok"
        for mode in ("builder", "planner"):
            answer = await send(http, url, token, call("create_tag", value="New"), x_agent_mode=mode)
            assert code(answer) == "mode_denied"
        assert "Connect again" in read(answer)["error"]["hint"]


async def test_a_token_is_good_at_the_door_it_was_made_for_and_at_no_other(world: World) -> None:
    """T4."""
    async with visiting() as http:
        for made_for, others in (
            ("/o/t/acme/mcp", ("/o/mcp", "/o/t/globex/mcp")),
            ("/o/mcp", ("/o/t/acme/mcp", "/o/t/globex/mcp")),
        ):
            _program, tokens = await connect(world, http, path=made_for, organisation="acme")
            token = tokens["access_token"]
            assert code(await send(http, world.origin + made_for, token)) == "ok"
            for path in others:
                assert (await send(http, world.origin + path, token)).status_code == 401
            static = await send(http, f"{world.origin}/mcp", token, x_api_domain=world.domain())
            assert code(static) == "token_invalid"
            assert f"{world.origin}/o/mcp" in read(static)["error"]["hint"]
            own = {"authorization": f"Bearer {token}", "host": world.domain().split("/")[2]}
            api = await http.get(f"{world.local.sandbox.issuer}/api/v2/admin/tags", headers=own)
            assert api.status_code == 401
        for name in ("admin", "x_api_token", "expired", "forged", "revoked"):
            assert (await send(http, f"{world.origin}/o/mcp", world.token(name))).status_code == 401


async def test_an_ended_connection_is_401_within_two_seconds_and_a_new_one_works(world: World) -> None:
    async with visiting() as http:
        program, tokens = await connect(world, http)
        url, token = f"{world.origin}/o/mcp", tokens["access_token"]
        assert code(await send(http, url, token, call("list_tags"))) == "ok"
        await program.ask("revoke", {"token": tokens["refresh_token"]})
        ends = time.monotonic() + 10
        while (answer := await send(http, url, token, call("list_tags"))).status_code == 200:
            assert code(answer) in ("ok", "token_revoked", "upstream_unauthorized")
            assert time.monotonic() < ends
            await asyncio.sleep(0.1)
        assert answer.status_code == 401
        _program, tokens = await connect(world, http)
        assert code(await send(http, url, tokens["access_token"])) == "ok"


async def test_addresses_are_the_settings_and_never_the_requests(world: World, tmp_path: Path) -> None:
    """T13."""
    lies = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "http", "forwarded": "host=evil.example"}
    async with issuing(world, tmp_path, "jwks") as (peer, door), visiting() as http:
        origin = door.partition("/nudj")[0]
        for place in (
            "/nudj/.well-known/oauth-protected-resource/o/mcp",
            "/.well-known/oauth-protected-resource/nudj/o/mcp",
            "/.well-known/oauth-protected-resource/o/mcp",
        ):
            told = await http.get(origin + place, headers=lies | {"origin": "https://anywhere.example"})
            assert told.json()["resource"] == DOOR
            assert told.json()["authorization_servers"] == [peer.url]
            assert told.headers["access-control-allow-origin"] == "*"
            assert (await http.get(origin + place, headers={"host": "evil.example"})).status_code == 421
        answer = await send(http, door, None, **{name.replace("-", "_"): value for name, value in lies.items()})
        metadata = f'resource_metadata="{BASE}/.well-known/oauth-protected-resource/o/mcp"'
        assert metadata in answer.headers["www-authenticate"]
        assert (await http.get(f"{origin}/.well-known/oauth-protected-resource")).status_code == 404
        assert (await http.get(f"{origin}/.well-known/oauth-authorization-server")).status_code == 404
        assert (await send(http, door, None, origin="https://anywhere.example")).status_code == 403


async def test_the_clients_token_is_exchanged_once_and_never_goes_upstream(world: World, tmp_path: Path) -> None:
    async with issuing(world, tmp_path, "jwks") as (peer, door), visiting() as http:
        peer.exchanged = exchanged(world)
        token = peer.token(world)
        answers = await asyncio.gather(*(send(http, door, token, call("list_tags")) for _ in range(20)))
        assert {code(answer) for answer in answers} == {"ok"}
        assert len(peer.asked) == 1
        asked = peer.asked[0]
        assert (asked["subject_token"], asked["subject_token_type"]) == (token, ACCESS_TOKEN)
        assert (asked["resource"], asked["scope"]) == (world.domain(), "nudj:read nudj:write")
        assert httpx.BasicAuth("the+server", "a+secret%3A+with+signs%26")._auth_header == asked["authorization"]
        (tmp_path / "secret").write_text("rotated")
        await send(http, door, peer.token(world), call("list_tags"))
        assert httpx.BasicAuth("the+server", "rotated")._auth_header == peer.asked[1]["authorization"]


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        ("organisation", "upstream_invalid"),
        ("subject", "upstream_invalid"),
        ("kind", "upstream_invalid"),
        ("type", "upstream_invalid"),
        ("html", "upstream_invalid"),
        ("invalid_target", "upstream_forbidden"),
        ("invalid_client", "internal"),
        ("unauthorized_client", "internal"),
        ("down", "upstream_unavailable"),
        ("busy", "upstream_unavailable"),
    ],
)
async def test_an_exchange_that_is_not_right_reaches_no_tenant(
    world: World, tmp_path: Path, spoil: str, expected: str
) -> None:
    """T16."""
    answers: dict[str, Any] = {
        "organisation": exchanged(world, "globex"),
        "subject": exchanged(world, access_token=world.mint("acme", role="admin", subject="user-2")),
        "kind": exchanged(world, issued_token_type="urn:ietf:params:oauth:token-type:id_token"),
        "type": exchanged(world, token_type="DPoP"),
        "html": Response("<html>"),
        "down": Response(status_code=500),
        "busy": Response(status_code=429),
    }
    async with issuing(world, tmp_path, "jwks") as (peer, door), visiting() as http:
        status = 401 if spoil == "invalid_client" else 400
        peer.exchanged = answers.get(spoil, JSONResponse({"error": spoil}, status))
        token = peer.token(world)
        assert code(await send(http, door, token, call("list_tags"))) == expected
        assert code(await send(http, door, token)) == "ok"  # the token itself is still good


async def test_a_subject_that_is_no_longer_good_is_dead_at_the_next_request(world: World, tmp_path: Path) -> None:
    """T16: at 401 clients refresh, which they never do at a tool's failure."""
    async with issuing(world, tmp_path, "jwks") as (peer, door), visiting() as http:
        peer.exchanged = JSONResponse({"error": "invalid_grant"}, 400)
        token = peer.token(world)
        assert code(await send(http, door, token, call("list_tags"))) == "token_revoked"
        assert (await send(http, door, token, call("list_tags"))).status_code == 401
        assert len(peer.asked) == 1
        peer.exchanged = exchanged(world)
        assert code(await send(http, door, peer.token(world), call("list_tags"))) == "ok"


async def test_a_tenant_that_refuses_twice_ends_it_and_once_does_not(world: World, tmp_path: Path) -> None:
    """T16."""
    async with issuing(world, tmp_path, "jwks") as (peer, door), visiting() as http:
        bad = exchanged(world, access_token=mint(**(peer.claims(world) | {"aud": "nudj-admin-api"})))
        peer.exchanged = [bad, exchanged(world)]
        token = peer.token(world)
        assert code(await send(http, door, token, call("list_tags"))) == "ok"
        assert len(peer.asked) == 2
        peer.exchanged, peer.asked = bad, []
        token = peer.token(world)
        assert code(await send(http, door, token, call("list_tags"))) == "upstream_unauthorized"
        assert len(peer.asked) == 2
        assert (await send(http, door, token, call("list_tags"))).status_code == 401


async def test_an_exchanged_token_of_unknown_lifetime_is_used_once(world: World, tmp_path: Path) -> None:
    """T16."""
    async with issuing(world, tmp_path, "jwks") as (peer, door), visiting() as http:
        token = peer.token(world)
        for lasting in (None, "300", 20):
            peer.exchanged, peer.asked = exchanged(world, expires_in=lasting), []
            for _ in range(2):
                assert code(await send(http, door, token, call("list_tags"))) == "ok"
            assert len(peer.asked) == 2


async def test_keys_out_of_reach_are_503_and_a_client_keeps_its_token(world: World, tmp_path: Path) -> None:
    """T15."""
    settings = {"oauth_jwks_url": "http://127.0.0.1:1/jwks"}
    async with issuing(world, tmp_path, "jwks", **settings) as (peer, door), visiting() as http:
        answer = await send(http, door, peer.token(world))
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 200),
        ({"aud": None}, 401),
        ({"aud": "https://other.example"}, 401),
        ({"aud": [f"{DOOR}/", f"{BASE}/mcp"]}, 401),
        ({"aud": ["https://other.example", DOOR]}, 200),
        ({"active": False}, 401),
        ({"active": "true"}, 503),
        ({"active": None}, 503),
        ({"active": 1}, 503),
        ({"exp": 1}, 401),
        ({"exp": None}, 401),
        ({"sub": None}, 401),
        ({"organisationId": None}, 401),
        ({"iss": "https://other.example"}, 401),
        ({"iss": None}, 200),
        ({"cnf": {"jkt": "x"}}, 401),
        ({"token_type": "DPoP"}, 401),
    ],
)
async def test_an_opaque_token_is_worth_what_its_issuer_says_now(
    world: World, tmp_path: Path, changed: dict[str, Any], status: int
) -> None:
    """T12."""
    async with issuing(world, tmp_path, "introspection") as (peer, door), visiting() as http:
        said = peer.claims(world) | {"active": True, "token_type": "Bearer"} | changed
        peer.active = {name: value for name, value in said.items() if value is not None}
        peer.exchanged = exchanged(world)
        answer = await send(http, door, "opaque~token/1==", call("list_tags"))
        assert answer.status_code == status
        asked = [each for each in peer.asked if "token" in each]
        assert [each["token"] for each in asked] == ["opaque~token/1=="]
        if status == 200:
            assert code(answer) == "ok"


@pytest.mark.parametrize(
    "answer", [Response(status_code=500), Response("<html>"), JSONResponse({}, 401), JSONResponse([])]
)
async def test_an_issuer_that_cannot_say_is_503(world: World, tmp_path: Path, answer: Response) -> None:
    """T12, T15: a 401 at our own credential is our fault and not the caller's."""
    async with issuing(world, tmp_path, "introspection") as (peer, door), visiting() as http:
        peer.active = answer
        assert (await send(http, door, "opaque")).status_code == 503


async def test_garbage_makes_no_traffic_at_the_issuer(world: World, tmp_path: Path) -> None:
    """T18: JWTs cost no look-up, opaque tokens no more than the cap; a caller known to be good is not locked out."""
    garbage = [secrets.token_hex(16) for _ in range(200)]
    async with issuing(world, tmp_path, "jwks") as (peer, door), visiting() as http:
        before = peer.keys
        for token in [*garbage, *(peer.token(world, header={"kid": each}) for each in garbage[:20])]:
            assert (await send(http, door, token)).status_code == 401
        assert (len(peer.asked), peer.keys <= before + 1) == (0, True)
    settings = {"oauth_introspection_cache_s": 0.0}
    async with issuing(world, tmp_path, "introspection", **settings) as (peer, door), visiting() as http:
        peer.active = peer.claims(world) | {"active": True}
        assert (await send(http, door, "good")).status_code == 200
        peer.active, began = {"active": False}, time.monotonic()
        statuses = {(await send(http, door, token)).status_code for token in garbage}
        assert statuses <= {401, 503}
        assert len(peer.asked) <= 20 + 20 * (time.monotonic() - began) + 2
        peer.active = peer.claims(world) | {"active": True}
        assert (await send(http, door, "good")).status_code == 200


async def test_claims_have_the_names_the_operator_says(world: World, tmp_path: Path) -> None:
    names = {"oauth_organisation_claim": "https://nudj.example/org", "oauth_roles_claim": "groups"}
    async with issuing(world, tmp_path, "jwks", **names) as (peer, door), visiting() as http:
        said = peer.claims(world)
        renamed = {"https://nudj.example/org": said["organisationId"], "groups": [*said["roles"], "offline_access"]}
        good = peer.token(world, organisationId=None, roles=None, **renamed)
        assert read(await send(http, door, good))["data"]["roles"] == ["admin"]
        globex = world.organisations["globex"]["id"]
        both = peer.token(world, organisationId=globex, roles=["role-super-admin"], **renamed)
        told = read(await send(http, door, both))["data"]
        assert (told["api_domain"], told["roles"]) == (world.domain(), ["admin"])
        assert (await send(http, door, peer.token(world))).status_code == 401  # its usual name is not a fallback


async def test_an_organisation_that_is_not_here_is_told_in_the_call(world: World, tmp_path: Path) -> None:
    async with issuing(world, tmp_path, "jwks") as (peer, door), visiting() as http:
        assert code(await send(http, door, peer.token(world, organisationId="f" * 24, roles=[]))) == "tenant_unknown"
        path = door.replace("/o/mcp", "/o/t/globex/mcp")
        token = peer.token(world, aud=f"{BASE}/o/t/globex/mcp")
        assert code(await send(http, path, token)) == "organisation_mismatch"


async def test_no_token_or_secret_of_the_door_is_written_down(world: World) -> None:
    """T17."""
    async with visiting() as http:
        program, tokens = await connect(world, http, read_only=None)
        await send(http, f"{world.origin}/o/mcp", tokens["access_token"], call("list_tags"))
        await send(http, f"{world.origin}/o/mcp", tokens["access_token"] + "x")
        refreshed = (await program.refresh(tokens["refresh_token"])).json()
    ends = time.monotonic() + 10
    while claims(tokens["access_token"])["jti"] not in world.written() and time.monotonic() < ends:  # noqa: ASYNC110 - a thread writes
        await asyncio.sleep(0.1)
    written = world.written()
    assert claims(tokens["access_token"])["jti"] in written
    values = [*tokens.values(), *refreshed.values(), program.verifier, world.local.sandbox.oauth.client_secret]
    assert [value for value in values if isinstance(value, str) and len(value) > 30 and value in written] == []


def test_a_door_that_would_be_open_wider_than_said_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "tenants.toml").write_text("")
    own = {"NUDJ_MCP_TENANTS_FILE": str(tmp_path / "tenants.toml"), "NUDJ_MCP_AUTH_JWKS_URL": "https://a.example/jwks"}
    with pytest.raises(SettingsError) as caught:
        load_settings({}, own | {"NUDJ_MCP_OAUTH_ISSUER": "https://a.example"})
    for name in ("PUBLIC_URL", "AUTH_AUDIENCE", "OAUTH_JWKS_URL", "OAUTH_EXCHANGE_URL", "OAUTH_CLIENT_SECRET_FILE"):
        assert f"NUDJ_MCP_{name}" in str(caught.value)
    assert load_settings({}, own).oauth_issuer is None
