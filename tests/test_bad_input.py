"""Every slip a config or a model makes, over real HTTP: one exact code and reason, and nothing goes further."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.raw_clients import LEGACY, MODERN, Heard, Http, speaking
from tests.support.scripted_servers import Site, reply, site
from tests.support.shared_stack import World, beside

OWN = "own"
TOKEN, OTHER = "{token}", "{other}"
_EMPTY_PAGE = reply(b'{"totalCount": 0, "edges": []}', "content-type: application/json")


@dataclass
class Watched:
    """A server whose one tenant remembers what reached it."""

    world: World
    http: Http
    tenant: Site

    async def ask(self, *headers: tuple[str, str], version: str = MODERN, path: str = "/mcp") -> Heard:
        """list_challenges with exactly these headers, in which names stand for tokens and domains."""
        words = {
            "token": self.world.token("manager"),
            "other": self.world.token("x_api_token"),
            "own": self.world.domain(),
            "host": self.world.domain().split("/")[2],
            "port": str(self.tenant.port),
        }
        said = [(name, value.format_map(words) if "${" not in value else value) for name, value in headers]
        return await self.http.call("list_challenges", {"limit": 1}, headers=said, version=version, path=path)


@pytest.fixture(scope="module")
def guarded(world: World) -> Iterator[tuple[str, Site]]:
    """One server for all of them, and its tenant."""
    start = world.portal.wrap_async_context_manager
    with start(site(_EMPTY_PAGE)) as tenant:
        reached = dict.fromkeys(("acme", "globex"), f"127.0.0.1:{tenant.port}")
        with start(beside(world, connect_to=reached)) as origin:
            yield origin, tenant


@pytest.fixture
async def watched(world: World, guarded: tuple[str, Site]) -> AsyncIterator[Watched]:
    """Where nothing may arrive."""
    origin, tenant = guarded
    tenant.heads.clear()
    async with speaking(origin) as http:
        yield Watched(world, http, tenant)


def refused(heard: Heard, code: str, reason: str | None, status: int) -> dict[str, Any]:
    """The error, when it is exactly this one."""
    assert heard.code == code, heard.message
    error: dict[str, Any] = heard.envelope["error"]
    assert (error.get("reason"), error["status"]) == (reason, status), error
    assert len(error["message"]) > 20
    assert len(error["hint"]) > 10
    assert error["request_id"]
    return error


MALFORMED, CONFLICT = ("credentials_malformed", 401), ("credentials_conflict", 400)
CREDENTIALS = [
    ([], ("credentials_missing", 401), None),
    ([("authorization", "")], MALFORMED, "empty_after_split"),
    ([("authorization", "   ")], MALFORMED, "empty_after_split"),
    ([("authorization", "Bearer")], MALFORMED, "empty_after_split"),
    ([("authorization", "bearer ")], MALFORMED, "empty_after_split"),
    ([("x-api-token", "")], MALFORMED, "empty_after_split"),
    ([("authorization", "Bearer ${NUDJ_MCP_TOKEN}")], MALFORMED, "unexpanded_variable"),
    ([("x-api-token", "${NUDJ_API_TOKEN}")], MALFORMED, "unexpanded_variable"),
    ([("authorization", "Bearer not-a-token")], MALFORMED, "not_a_jwt"),
    ([("authorization", "Bearer a.b.c.d")], MALFORMED, "not_a_jwt"),
    ([("authorization", "Bearer a.b=.c")], MALFORMED, "not_a_jwt"),
    ([("authorization", "Bearer two words")], MALFORMED, "whitespace"),
    ([("authorization", TOKEN)], MALFORMED, "not_bearer"),
    ([("authorization", "Bearer " + "a" * 8_300)], MALFORMED, "too_long"),
    ([("authorization", "Bearer {token}"), ("authorization", "Bearer {token}")], CONFLICT, None),
    ([("authorization", "Bearer {token}, Bearer {token}")], CONFLICT, None),
    ([("authorization", "Bearer {token}"), ("x-api-token", OTHER)], CONFLICT, None),
    ([("x-api-token", OTHER), ("x-api-token", OTHER)], CONFLICT, None),
    ([("authorization", "Bearer a.b.c")], ("token_invalid", 401), "format"),
]


@pytest.mark.parametrize(("headers", "verdict", "reason"), CREDENTIALS)
async def test_a_slip_in_the_credential_is_named(
    watched: Watched, headers: list[tuple[str, str]], verdict: tuple[str, int], reason: str | None
) -> None:
    for version in (MODERN, LEGACY):
        heard = await watched.ask(*headers, ("x-api-domain", "{own}"), version=version)
        refused(heard, verdict[0], reason, verdict[1])
    assert not watched.tenant.heads


@pytest.mark.parametrize(
    "headers",
    [
        [("authorization", "Bearer {token}")],
        [("authorization", "bearer {token}")],
        [("x-api-token", TOKEN)],
        [("x-api-token", "Bearer {token}")],
        [("authorization", "Bearer {token}"), ("x-api-token", TOKEN)],
    ],
)
async def test_every_documented_way_to_send_one_token_works(watched: Watched, headers: list[tuple[str, str]]) -> None:
    assert (await watched.ask(*headers, ("x-api-domain", "{own}"))).code == "ok"


WRONG_DOMAIN, UNKNOWN = ("domain_malformed", 400), ("tenant_unknown", 404)
DOMAINS = [
    (None, ("domain_missing", 401), None),
    ("", WRONG_DOMAIN, "empty"),
    ("acme.nudj.cx", WRONG_DOMAIN, "no_scheme"),
    ("{host}/api/v2/admin", WRONG_DOMAIN, "no_scheme"),
    ("ftp://{host}/api/v2/admin", WRONG_DOMAIN, "no_scheme"),
    ("https://acme.nudj.cx", WRONG_DOMAIN, "missing_suffix"),
    ("https://acme.nudj.cx/api/v2", WRONG_DOMAIN, "missing_suffix"),
    ("{own}/", WRONG_DOMAIN, "trailing_slash"),
    ("{own}//", WRONG_DOMAIN, "missing_suffix"),
    ("{own}/../admin", WRONG_DOMAIN, "missing_suffix"),
    ("{own}/challenges", WRONG_DOMAIN, "missing_suffix"),
    ("http://{host}//api/v2/admin", WRONG_DOMAIN, "missing_suffix"),
    ("http://{host}/api/%76%32/admin", WRONG_DOMAIN, "encoded"),
    ("http://{host}%2f@evil.example/api/v2/admin", WRONG_DOMAIN, "encoded"),
    ("{own}?x=1", WRONG_DOMAIN, "query"),
    ("{own}#top", WRONG_DOMAIN, "fragment"),
    ("http://user@{host}/api/v2/admin", WRONG_DOMAIN, "userinfo"),
    ("http://{host}@evil.example/api/v2/admin", WRONG_DOMAIN, "userinfo"),
    ("http:\\\\{host}\\api\\v2\\admin", WRONG_DOMAIN, "backslash"),
    ("HTTP://{host}/api/v2/admin", WRONG_DOMAIN, "upper_case"),
    ("http://ACME.localhost:{port}/api/v2/admin", WRONG_DOMAIN, "upper_case"),
    ("https://acme.nudj.cx./api/v2/admin", WRONG_DOMAIN, "trailing_dot"),
    ("https://\u0430cme.nudj.cx/api/v2/admin", WRONG_DOMAIN, "not_ascii"),
    ("https://acme\u3002nudj.cx/api/v2/admin", WRONG_DOMAIN, "not_ascii"),
    ("https://93.184.216.34/api/v2/admin", WRONG_DOMAIN, "ip_address"),
    ("https://2130706433/api/v2/admin", WRONG_DOMAIN, "ip_address"),
    ("https://0x7f.1/api/v2/admin", WRONG_DOMAIN, "ip_address"),
    ("https://acme.nudj.cx:443/api/v2/admin", WRONG_DOMAIN, "port"),
    ("https://acme.nudj.cx:99999/api/v2/admin", WRONG_DOMAIN, "port"),
    ("http://acme.nudj.cx/api/v2/admin", WRONG_DOMAIN, "http_not_https"),
    ("https://acme nudj.cx/api/v2/admin", WRONG_DOMAIN, "whitespace"),
    ("${NUDJ_API_DOMAIN}", WRONG_DOMAIN, "unexpanded_variable"),
    ("https://" + "a" * 400, WRONG_DOMAIN, "too_long"),
    ("http://acme.localhost:{port}/api/v2/admin", UNKNOWN, None),
    ("http://127.0.0.1:{port}/api/v2/admin", UNKNOWN, None),
    ("https://acme.nudj.cx/api/v2/admin", UNKNOWN, None),
    ("https://acme.nudj.cx.evil.example/api/v2/admin", UNKNOWN, None),
]


@pytest.mark.parametrize(("domain", "verdict", "reason"), DOMAINS)
async def test_a_domain_that_is_not_exactly_a_registered_one_is_refused(
    watched: Watched, domain: str | None, verdict: tuple[str, int], reason: str | None
) -> None:
    said = [] if domain is None else [("x-api-domain", domain)]
    heard = await watched.ask(("authorization", "Bearer {token}"), *said)
    refused(heard, verdict[0], reason, verdict[1])
    assert not watched.tenant.heads


@pytest.mark.parametrize(
    ("domains", "path", "code"),
    [
        (["{own}", "{own}"], "/mcp", "domain_conflict"),
        (["{own},{own}"], "/mcp", "domain_conflict"),
        (["{own}"], "/t/globex/mcp", "domain_conflict"),
        (["{own}"], "/t/acme/mcp", "ok"),
        ([], "/t/acme/mcp", "ok"),
        ([], "/t/globex/mcp", "organisation_mismatch"),
        ([], "/t/nosuch/mcp", "tenant_unknown"),
        ([""], "/t/acme/mcp", "domain_malformed"),
    ],
)
async def test_the_domain_is_named_once_or_alike(watched: Watched, domains: list[str], path: str, code: str) -> None:
    said = [("x-api-domain", domain) for domain in domains]
    assert (await watched.ask(("authorization", "Bearer {token}"), *said, path=path)).code == code


@pytest.mark.parametrize("headers", [[("x-agent-mode", "admin")], [("x-agent-mode", "planner"), ("x-agent-mode", "")]])
async def test_a_mode_that_does_not_exist_is_refused_with_those_that_do(
    watched: Watched, headers: list[tuple[str, str]]
) -> None:
    heard = await watched.ask(("authorization", "Bearer {token}"), ("x-api-domain", "{own}"), *headers)
    assert heard.code == "mode_invalid"
    assert "planner" in heard.envelope["error"]["hint"]
    assert "builder" in heard.envelope["error"]["hint"]


ID = "0123456789abcdef01234567"
ARGUMENTS: list[tuple[str, dict[str, Any], set[str]]] = [
    ("get_challenge", {}, {"/id"}),
    ("get_challenge", {"id": 7}, {"/id"}),
    ("get_challenge", {"id": None}, {"/id"}),
    ("get_challenge", {"id": [ID]}, {"/id"}),
    *(
        ("get_challenge", {"id": odd}, {"/id"})
        for odd in (
            "",
            "..",
            ".",
            f"{ID}/",
            f"../{ID}",
            f"{ID}?x=1",
            f"{ID}#",
            "%2e%2e",
            f"{ID}%2f",
            f"{ID}\n",
            f" {ID}",
        )
    ),
    ("get_challenge", {"id": ID, "organisation_id": ID}, {"/organisation_id"}),
    ("list_challenges", {"limit": 0}, {"/limit"}),
    ("list_challenges", {"limit": 101}, {"/limit"}),
    ("list_challenges", {"limit": "5"}, {"/limit"}),
    ("list_challenges", {"limit": 2.5}, {"/limit"}),
    ("list_challenges", {"limit": True}, {"/limit"}),
    ("list_challenges", {"cursor": "bm90IG91cnM"}, {"/cursor"}),
    ("list_challenges", {"Limit": 5}, {"/Limit"}),
    ("create_challenge", {"community_id": ID}, {"/title"}),
    ("create_challenge", {"community_id": ID, "title": "x", "actions": [{"key": "nothing"}]}, {"/actions/0/key"}),
    ("create_challenge", {"community_id": ID, "title": "x", "status": "gone"}, {"/status"}),
]


@pytest.mark.parametrize(("tool", "arguments", "pointers"), ARGUMENTS)
async def test_wrong_arguments_are_named_by_pointer_and_go_nowhere(
    watched: Watched, tool: str, arguments: dict[str, Any], pointers: set[str]
) -> None:
    for version in (MODERN, LEGACY):
        heard = await watched.http.call(tool, arguments, headers=watched.world.headers("manager"), version=version)
        error = refused(heard, "arguments_invalid", None, 400)
        assert {field["pointer"] for field in error["fields"]} >= pointers, error
        assert all(field["problem"] for field in error["fields"])
    assert not watched.tenant.heads


async def test_an_unknown_tool_is_a_protocol_error_and_not_an_answer(watched: Watched) -> None:
    for version in (MODERN, LEGACY):
        heard = await watched.http.call("no_such_tool", {}, headers=watched.world.headers(), version=version)
        assert heard.message["error"]["code"] == -32602
        assert heard.message["id"] == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"jsonrpc": "2.0"}', b"[" * 50_000])
async def test_a_body_that_is_no_request_is_refused_and_the_server_stays_up(watched: Watched, body: bytes) -> None:
    for version in (MODERN, LEGACY):
        pairs = [
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", version),
            *watched.world.headers().items(),
        ]
        heard = await watched.http.post("/mcp", body, pairs)
        assert 400 <= heard.status < 500, heard.raw
    assert (await watched.ask(("authorization", "Bearer {token}"), ("x-api-domain", "{own}"))).code == "ok"
