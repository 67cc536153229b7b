"""Signing in: a password gives a cookie, the cookie a short-lived Bearer per admin call, and signing out ends both."""

import hashlib
from typing import Any

import httpx
import jwt
import pytest
from starlette.requests import Request

from server.sandbox.accounts import Account, Accounts
from server.sandbox.faults import Fault
from server.sandbox.seed_builder import build_object_id, build_organisation_id
from server.sandbox.sessions import Sessions
from server.sandbox.store import EntityStore
from server.sandbox.token_admin import TokenAdmin
from server.sandbox.tokens import Tokens
from tests.support.sandbox_client import PORT, Tenants, refusal

ACME, GLOBEX = f"http://acme.localhost:{PORT}", f"http://globex.localhost:{PORT}"


def account(tenants: Tenants, email: str) -> Account:
    """The seeded account of an address."""
    return next(each for each in tenants.sandbox.accounts if each.email == email)


async def sign_in(tenants: Tenants, email: str, /, *, at: str = ACME, **more: Any) -> httpx.Response:
    """One attempt to sign in with the right password, unless told otherwise."""
    body = {"email": email, "password": account(tenants, email).password} | more
    return await tenants.http.post(f"{at}/auth/session", json=body, headers={"origin": at})


async def test_a_password_gives_a_cookie_that_no_script_and_no_other_site_can_use() -> None:
    tenants = Tenants()
    answer = await sign_in(tenants, "admin@acme.example")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert answer.json()["organisations"] == ["acme"]
    assert account(tenants, "admin@acme.example").password not in answer.text + cookie


@pytest.mark.parametrize(
    ("more", "at", "status"),
    [
        ({"password": "wrong"}, ACME, 401),
        ({"email": "nobody@acme.example"}, ACME, 401),
        ({}, GLOBEX, 403),
        ({}, f"http://initech.localhost:{PORT}", 404),
    ],
)
async def test_a_wrong_password_or_somebody_elses_organisation_opens_nothing(
    more: dict[str, str], at: str, status: int
) -> None:
    answer = await sign_in(Tenants(), "admin@acme.example", at=at, **more)
    assert refusal(answer)[0] == status
    assert "set-cookie" not in answer.headers


async def test_the_cookie_reads_and_changes_with_proof_that_our_own_page_asks() -> None:
    tenants = Tenants()
    csrf = (await sign_in(tenants, "admin@acme.example")).json()["csrfToken"]
    url = f"{ACME}/api/v2/admin/tags"
    assert (await tenants.http.get(url)).status_code == 200
    proof = {"origin": ACME, "x-csrf-token": csrf}
    for wrong in (
        {},
        {"origin": ACME},
        {"x-csrf-token": csrf},
        {**proof, "origin": GLOBEX},
        {**proof, "x-csrf-token": "x"},
    ):
        assert refusal(await tenants.http.post(url, json={"value": "New"}, headers=wrong))[0] == 403
    assert (await tenants.http.post(url, json={"value": "New"}, headers=proof)).status_code == 200


async def test_a_cookie_of_one_organisation_opens_nothing_of_another_the_person_belongs_to() -> None:
    tenants = Tenants()
    answer = await sign_in(tenants, "consultant@both.example")
    assert answer.json()["organisations"] == ["acme", "globex"]
    cookie = {"cookie": answer.headers["set-cookie"].partition(";")[0]}
    assert (await tenants.http.get(f"{ACME}/api/v2/admin/tags", headers=cookie)).status_code == 200
    tenants.http.cookies.clear()
    assert refusal(await tenants.http.get(f"{GLOBEX}/api/v2/admin/tags", headers=cookie))[0] == 403


async def test_signing_out_ends_the_session_and_every_token_that_came_out_of_it() -> None:
    tenants = Tenants()
    csrf = (await sign_in(tenants, "admin@acme.example")).json()["csrfToken"]
    assert (await tenants.http.get(f"{ACME}/api/v2/admin/tags")).status_code == 200
    before = len((await tenants.http.get(tenants.sandbox.revocations_url)).json()["revoked"])
    cookie = {"cookie": f"nudj_session={tenants.http.cookies['nudj_session']}"}
    answer = await tenants.http.delete(f"{ACME}/auth/session", headers={"origin": ACME, "x-csrf-token": csrf})
    assert answer.status_code == 204
    assert refusal(await tenants.http.get(f"{ACME}/api/v2/admin/tags", headers=cookie))[0] == 401
    after = len((await tenants.http.get(tenants.sandbox.revocations_url)).json()["revoked"])
    assert after == before + 1


class Desk:
    """The rooms behind signing in, with a clock that a test can turn."""

    def __init__(self) -> None:
        self.time = 0.0
        self.store = EntityStore(None)
        self.tokens = Tokens(self.store, issuer="https://issuer.example", audience="api")
        self.sessions = Sessions(self.tokens, build_organisation_id, clock=lambda: self.time)
        self.person = Account("a" * 24, "one@acme.example", "manager", ("acme",), "right")
        self.accounts = Accounts([self.person], clock=lambda: self.time)
        self.minting = TokenAdmin(self.store, self.tokens)

    def found(self, cookie: str) -> bool:
        """Whether a cookie still opens a session."""
        headers = [(b"cookie", f"nudj_session={cookie}".encode())]
        return self.sessions.find(Request({"type": "http", "headers": headers})) is not None


@pytest.mark.parametrize(("step", "steps", "alive"), [(29 * 60, 16, True), (31 * 60, 1, False), (29 * 60, 17, False)])
def test_a_session_ends_when_idle_or_old(step: int, steps: int, alive: bool) -> None:
    desk = Desk()
    cookie = desk.sessions.open(desk.person, "acme")[1]
    seen = True
    for _ in range(steps):
        desk.time += step
        seen = desk.found(cookie)
    assert seen is alive


async def test_wrong_passwords_bring_a_pause_that_ends() -> None:
    desk = Desk()
    for _ in range(5):
        with pytest.raises(Fault, match="wrong"):
            await desk.accounts.check("one@acme.example", "wrong")
    with pytest.raises(Fault, match="wait"):
        await desk.accounts.check("one@acme.example", "right")
    desk.time += 31
    assert (await desk.accounts.check("ONE@acme.example", "right")).id == desk.person.id


def test_a_session_token_lives_a_minute_and_says_what_it_is() -> None:
    desk = Desk()
    session, _ = desk.sessions.open(desk.person, None)
    claims = jwt.decode(desk.sessions.bearer(session), options={"verify_signature": False})
    assert (claims["type"], claims["exp"] - claims["iat"]) == ("session", 60)
    assert claims["roles"] == [f"orgId-{build_organisation_id('acme')}:role-manager"]


def test_nobody_gives_more_than_their_own_role() -> None:
    desk = Desk()
    session, _ = desk.sessions.open(desk.person, "acme")
    assert desk.minting.roles(session) == ("viewer", "moderator", "manager")
    token = desk.minting.mint(session, kind="mcp", name="Laptop", role="manager", community=None)
    assert [each.name for each in desk.minting.list_tokens(session)] == ["Laptop"]
    for role, kind, community in (("admin", "mcp", None), ("viewer", "api_token", None), ("viewer", "mcp", "f" * 24)):
        with pytest.raises(Fault):
            desk.minting.mint(session, kind=kind, name="x", role=role, community=community)  # type: ignore[arg-type]  # words
    desk.minting.revoke(session, desk.minting.list_tokens(session)[0].id)
    with pytest.raises(Fault, match="revoked"):
        desk.tokens.verify(token)


def test_a_person_ends_their_own_tokens_only_and_an_admin_those_of_the_organisation() -> None:
    tenants = Tenants()
    desk = Desk()
    desk.minting = TokenAdmin(tenants.sandbox._store, tenants.sandbox._tokens)
    tenants.sandbox.mint("acme", token_id="somebody-elses")
    tenants.sandbox.mint("globex", token_id="foreign")
    person, _ = desk.sessions.open(desk.person, "acme")
    admin, _ = desk.sessions.open(account(tenants, "admin@acme.example"), "acme")
    with pytest.raises(Fault):
        desk.minting.revoke(person, "somebody-elses")
    with pytest.raises(Fault):
        desk.minting.revoke(admin, "foreign")
    desk.minting.revoke(admin, "somebody-elses")
    assert next(each for each in desk.minting.list_tokens(admin) if each.id == "somebody-elses").revoked


def test_no_password_and_no_token_is_kept_in_the_clear() -> None:
    tenants = Tenants()
    kept = "\n".join(tenants.sandbox._store.sql.iterdump())
    token = tenants.tokens["acme"]["tokens"]["admin"]
    assert token not in kept
    assert token.rpartition(".")[2] not in kept
    for each in tenants.sandbox.accounts:
        assert each.password not in kept
        assert each.password not in repr(each)
        assert hashlib.sha256(each.password.encode()).hexdigest() not in kept
    assert len({build_object_id("account", each.email) for each in tenants.sandbox.accounts}) == 4
