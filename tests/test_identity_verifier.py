"""From a presented token to a caller at a tenant: by the operator's keys."""

import json
from typing import Any

import pytest

from server.credentials.parsing import Credentials
from server.credentials.secret import Secret
from server.http.client import OutboundClient
from server.identity.claims import ExpectedClaims
from server.identity.jwks import PublishedKeys
from server.identity.keys import FixedKeys, parse_public_keys
from server.identity.revocations import RevocationFeed, Revocations
from server.identity.verdict_cache import Verdicts
from server.identity.verifier import KeyVerifier
from server.tenants.tenant import Tenant
from tests.support.scripted_servers import reply, site
from tests.support.token_issuer import HOME, NOW, Clock, Web, bearer, document, jwk, mint, unrevoked
from tools.refusals import Code, ToolError

JWKS = "https://auth.nudj.cx/jwks.json"
FEED = "https://auth.nudj.cx/revocations.json"
EXPECTED = ExpectedClaims(issuer="https://auth.nudj.cx", audience="nudj")


def home() -> Tenant:
    return HOME


class World:
    """An issuer with a key set and a feed, and a verifier that trusts it."""

    def __init__(self, revocations: Revocations | None = None, size: int = 100) -> None:
        self.web, self.clock = Web(), Clock()
        self.publish(jwk("ES256"))
        self.revoke()
        self.keys = PublishedKeys(JWKS, self.web, clock=self.clock)
        self.feed = RevocationFeed(FEED, self.web, clock=self.clock)
        self.verifier = KeyVerifier(
            self.keys, revocations or self.feed, EXPECTED, clock=self.clock, verdicts=Verdicts(size, size)
        )

    def publish(self, *keys: dict[str, Any]) -> None:
        self.web.put(JWKS, document(*keys))

    def revoke(self, *ids: str) -> None:
        self.web.put(FEED, json.dumps({"revoked": [{"jti": one, "exp": NOW} for one in ids]}).encode())

    async def subject(self, token: str) -> str:
        who, tenant = await self.verifier.verify(bearer(token), home)
        assert tenant is HOME
        return who.subject

    async def refused(self, token: str) -> tuple[Code, str | None]:
        with pytest.raises(ToolError) as caught:
            await self.subject(token)
        return caught.value.code, caught.value.reason


async def world(**more: Any) -> World:
    made = World(**more)
    assert await made.verifier.refresh()
    return made


async def test_a_genuine_token_is_its_bearer() -> None:
    here = await world()
    assert await here.subject(mint()) == "user-1"


async def test_the_warm_path_fetches_nothing_and_computes_no_signature() -> None:
    here = await world()
    token = mint()
    await here.subject(token)
    asked = len(here.web.asked)
    here.publish()
    for _ in range(1000):
        assert here.verifier.get_cached(bearer(token)) is not None
        await here.subject(token)
    assert len(here.web.asked) == asked


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (mint(of="stranger"), "signature"),
        (mint(header={"kid": "other"}), "key"),
        (mint("HS256", header={"kid": "ES256"}), "key"),
        (mint(iss="https://evil.example"), "issuer"),
        (mint(aud="other"), "audience"),
        (mint(type="refresh"), "kind"),
        (mint(nbf=int(NOW) + 60), "not_yet_valid"),
        (mint(organisationId=None), "claims"),
    ],
)
async def test_a_token_that_cannot_be_trusted_says_which_check_failed(token: str, reason: str) -> None:
    here = await world()
    assert await here.refused(token) == (Code.TOKEN_INVALID, reason)


async def test_the_signature_is_judged_before_the_claims() -> None:
    here = await world()
    assert await here.refused(mint(of="stranger", exp=1)) == (Code.TOKEN_INVALID, "signature")
    assert (await here.refused(mint(exp=1)))[0] is Code.TOKEN_EXPIRED


async def test_the_token_is_judged_before_the_tenant_is_looked_up() -> None:
    here = await world()

    def nowhere() -> Tenant:
        raise ToolError(Code.TENANT_UNKNOWN, "unknown")

    with pytest.raises(ToolError) as caught:
        await here.verifier.verify(bearer(mint(exp=1)), nowhere)
    assert caught.value.code is Code.TOKEN_EXPIRED
    with pytest.raises(ToolError) as caught:
        await here.verifier.verify(bearer(mint()), nowhere)
    assert caught.value.code is Code.TENANT_UNKNOWN


async def test_a_cached_verdict_ends_with_the_token() -> None:
    here = await world()
    token = mint(exp=int(NOW) + 5)
    await here.subject(token)
    here.clock.now += 5
    assert here.verifier.get_cached(bearer(token)) is None
    assert (await here.refused(token))[0] is Code.TOKEN_EXPIRED


async def test_a_cached_verdict_ends_with_the_key_that_gave_it() -> None:
    here = await world()
    token = mint()
    await here.subject(token)
    here.publish(jwk("ES256", key_id="next", of="other"))
    await here.keys.refresh()
    assert (await here.refused(token))[0] is Code.TOKEN_INVALID


async def test_a_cached_verdict_ends_with_a_revocation() -> None:
    here = await world()
    token = mint()
    await here.subject(token)
    here.revoke("token-1")
    await here.feed.refresh()
    assert (await here.refused(token))[0] is Code.TOKEN_REVOKED
    assert await here.subject(mint(jti="token-2")) == "user-1"


async def test_no_revocations_known_means_no_call_even_for_a_cached_verdict() -> None:
    here = await world()
    token = mint()
    await here.subject(token)
    here.clock.now += 11
    assert (await here.refused(token))[0] is Code.VERIFICATION_UNAVAILABLE


async def test_known_keys_still_verify_while_the_issuer_is_down() -> None:
    here = await world(revocations=unrevoked())
    here.web.answers.clear()
    here.clock.now += 3000
    assert await here.subject(mint()) == "user-1"


async def test_a_verdict_can_be_forgotten_at_once() -> None:
    here = await world()
    credentials = bearer(mint())
    await here.verifier.verify(credentials, home)
    here.verifier.forget(credentials.token.digest)
    assert here.verifier.get_cached(credentials) is None


async def test_a_flood_of_forgeries_pushes_out_no_real_caller() -> None:
    here = await world(size=10)
    token = mint()
    await here.subject(token)
    for turn in range(50):
        await here.refused(mint(of="stranger", jti=f"token-{turn}"))
    assert here.verifier.get_cached(bearer(token)) is not None


async def test_a_forgery_presented_again_is_refused_again() -> None:
    here = await world()
    forged = mint(of="stranger")
    assert await here.refused(forged) == await here.refused(forged) == (Code.TOKEN_INVALID, "signature")
    here.clock.now += 9
    assert await here.feed.refresh()
    assert await here.refused(forged) == (Code.TOKEN_INVALID, "signature")


async def test_a_token_of_a_key_published_a_moment_later_is_not_held_against_its_bearer() -> None:
    here = await world()
    token = mint(of="other")
    await here.refused(token)
    here.publish(jwk("ES256", of="other"))
    await here.keys.refresh()
    assert await here.subject(token) == "user-1"


async def test_only_so_many_verdicts_are_kept() -> None:
    here = await world(size=10)
    tokens = [mint(jti=f"token-{turn}") for turn in range(20)]
    for token in tokens:
        await here.subject(token)
    assert sum(here.verifier.get_cached(bearer(token)) is not None for token in tokens) == 10
    assert here.verifier.get_cached(bearer(tokens[-1])) is not None


async def test_the_header_a_token_came_in_does_not_change_what_it_is() -> None:
    here = await world()
    api_token, token = mint(type=None), mint()
    for kind in ("bearer", "api_token"):
        who, _ = await here.verifier.verify(Credentials(kind, Secret(api_token)), home)
        assert who.kind == "api_token"
        who, _ = await here.verifier.verify(Credentials(kind, Secret(token)), home)
        assert who.kind == "bearer"


async def test_no_refusal_repeats_the_token() -> None:
    verifier = KeyVerifier(FixedKeys(parse_public_keys(document(jwk("ES256")))), unrevoked(), EXPECTED, clock=Clock())
    for token in (mint(of="stranger"), mint(exp=1), mint(sub="")):
        with pytest.raises(ToolError) as caught:
            await verifier.verify(bearer(token), home)
        said = f"{caught.value.error('r')} {caught.value!r}"
        assert not any(part in said for part in token.split("."))


async def test_nothing_named_inside_a_token_is_ever_fetched() -> None:
    async with site(reply(document(jwk("ES256", of="stranger")))) as canary, site(reply(document(jwk("ES256")))) as own:
        async with OutboundClient() as net:
            verifier = KeyVerifier(PublishedKeys(own.url(), net.send), unrevoked(), EXPECTED, clock=Clock())
            for token in (
                *(
                    mint(of="stranger", header={name: canary.url()})
                    for name in ("jku", "x5u", "kid", "typ", "cty", "iss")
                ),
                mint(of="stranger", iss=canary.url(), aud=canary.url(), jku=canary.url(), sub=canary.url()),
                mint(iss=canary.url()),
            ):
                with pytest.raises(ToolError):
                    await verifier.verify(bearer(token), home)
        assert (own.connections, canary.connections) == (1, 0)
