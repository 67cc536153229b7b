"""Verification by asking the tenant: nothing a token claims counts before its own host has confirmed it."""

import json
from dataclasses import replace

import pytest

from server.credentials.parsing import Credentials
from server.credentials.secret import Secret
from server.identity.claims import ExpectedClaims
from server.identity.upstream_verifier import UpstreamVerifier
from server.tenants.tenant import Tenant
from tests.support.token_issuer import ACME, GLOBEX, HOME, Clock, Web, bearer, mint
from tools.refusals import Code, ToolError

URL = f"{HOME.api_domain}/organisations/{ACME}"
UNCONFIRMED = replace(HOME, organisation="")
TOKEN = mint(of="somebody")
PRESENTED = bearer(TOKEN)


class World:
    """A tenant that knows one token, and a verifier without any key."""

    def __init__(self, tenant: Tenant = UNCONFIRMED) -> None:
        self.web, self.clock, self.ticks = Web(), Clock(), Clock(0.0)
        self.web.put(URL, json.dumps({"id": ACME.upper()}).encode())
        self.verifier = UpstreamVerifier(self.web, ExpectedClaims(), clock=self.clock, monotonic=self.ticks)
        self.tenant = tenant

    async def organisation(self, credentials: Credentials = PRESENTED) -> str:
        who, tenant = await self.verifier.verify(credentials, lambda: self.tenant)
        assert tenant == replace(self.tenant, organisation=who.organisation)
        return who.organisation

    async def refused(self, token: str = TOKEN) -> Code:
        with pytest.raises(ToolError) as caught:
            await self.organisation(bearer(token))
        return caught.value.code


@pytest.mark.parametrize("tenant", [HOME, UNCONFIRMED])
async def test_a_token_the_tenant_confirms_is_its_bearer(tenant: Tenant) -> None:
    here = World(tenant)
    assert await here.organisation() == ACME
    url, headers = here.web.asked[0]
    assert (url, headers["authorization"], headers["x-api-domain"]) == (URL, f"Bearer {TOKEN}", HOME.api_domain)


async def test_the_token_goes_out_in_the_header_it_came_in() -> None:
    here = World()
    await here.organisation(Credentials("api_token", Secret(TOKEN)))
    assert here.web.asked[0][1]["x-api-token"] == TOKEN
    assert "authorization" not in here.web.asked[0][1]


async def test_what_a_token_calls_itself_is_left_to_the_tenant() -> None:
    assert await World().organisation(bearer(mint(of="somebody", type="assistant"))) == ACME


async def test_a_confirmation_lasts_two_seconds() -> None:
    here = World()
    for _ in range(10):
        await here.organisation()
    here.ticks.now += 1.9
    await here.organisation()
    assert len(here.web.asked) == 1
    here.ticks.now += 0.1
    await here.organisation()
    assert len(here.web.asked) == 2


async def test_a_confirmation_holds_for_one_header_one_token_and_one_domain() -> None:
    here = World()
    await here.organisation()
    await here.organisation(Credentials("api_token", Secret(TOKEN)))
    assert len(here.web.asked) == 2
    await here.organisation(bearer(mint(of="somebody", jti="token-2")))
    assert len(here.web.asked) == 3
    here.tenant = replace(UNCONFIRMED, api_domain="https://other.nudj.cx/api/v2/admin")
    assert await here.refused() is Code.VERIFICATION_UNAVAILABLE


async def test_a_confirmation_never_outlives_the_token() -> None:
    here = World()
    token = mint(exp=int(here.clock.now) + 1)
    await here.organisation(bearer(token))
    here.clock.now += 1
    assert await here.refused(token) is Code.TOKEN_EXPIRED


async def test_a_confirmation_can_be_forgotten_at_once() -> None:
    here = World()
    await here.organisation()
    here.verifier.forget(Secret(TOKEN).digest)
    await here.organisation()
    assert len(here.web.asked) == 2


async def test_a_token_of_another_organisation_is_not_even_sent_to_a_known_tenant() -> None:
    here = World(replace(HOME, organisation=GLOBEX))
    assert await here.refused() is Code.ORGANISATION_MISMATCH
    assert here.web.asked == []


async def test_a_token_of_wrong_form_or_expired_is_not_sent() -> None:
    here = World()
    assert await here.refused("a.b.c") is Code.TOKEN_INVALID
    assert await here.refused(mint(exp=1)) is Code.TOKEN_EXPIRED
    assert await here.refused(mint(header={"alg": "none"})) is Code.TOKEN_INVALID
    assert here.web.asked == []


ERROR = json.dumps({"message": "No.", "code": "X"})


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, ERROR, Code.TOKEN_INVALID),
        (403, ERROR, Code.ORGANISATION_MISMATCH),
        (404, ERROR, Code.ORGANISATION_MISMATCH),
        (401, "<html>", Code.VERIFICATION_UNAVAILABLE),
        (403, "{}", Code.VERIFICATION_UNAVAILABLE),
        (404, "default backend", Code.VERIFICATION_UNAVAILABLE),
        (200, json.dumps({"id": GLOBEX}), Code.ORGANISATION_MISMATCH),
        (200, json.dumps({"id": ""}), Code.ORGANISATION_MISMATCH),
        (200, "{}", Code.VERIFICATION_UNAVAILABLE),
        (200, json.dumps({"id": [ACME]}), Code.VERIFICATION_UNAVAILABLE),
        (200, json.dumps([{"id": ACME}]), Code.VERIFICATION_UNAVAILABLE),
        (200, "<html>", Code.VERIFICATION_UNAVAILABLE),
        (200, "[" * 100_000, Code.VERIFICATION_UNAVAILABLE),
        (204, "", Code.VERIFICATION_UNAVAILABLE),
        (302, json.dumps({"id": ACME}), Code.VERIFICATION_UNAVAILABLE),
        (429, "{}", Code.VERIFICATION_UNAVAILABLE),
        (500, json.dumps({"id": ACME}), Code.VERIFICATION_UNAVAILABLE),
    ],
    ids=str,
)
async def test_anything_but_the_tenants_own_yes_is_a_refusal(status: int, body: str, code: Code) -> None:
    here = World()
    here.web.put(URL, body.encode(), status, content_type="application/json")
    assert await here.refused() is code
    here.web.put(URL, json.dumps({"id": ACME}).encode())
    assert await here.organisation() == ACME


async def test_a_tenant_that_cannot_be_reached_confirms_nothing() -> None:
    here = World()
    here.web.answers.clear()
    assert await here.refused() is Code.VERIFICATION_UNAVAILABLE


async def test_confirmations_are_bounded() -> None:
    here = World()
    for turn in range(1100):
        await here.organisation(bearer(mint(of="somebody", jti=f"token-{turn}")))
    assert len(here.verifier._confirmed) <= 1000
