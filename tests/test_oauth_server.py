"""The tenant's authorization server: what it gives to whom, and everything it must not let happen."""

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.oauth_client import CALLBACK, DOOR, Connecting, Form, claims, told


async def test_the_metadata_is_what_clients_check_before_they_begin() -> None:
    here = Connecting()
    url = f"{here.issuer}/.well-known/oauth-authorization-server"
    told_ = (await here.http.get(url)).json()
    assert told_["issuer"] == here.issuer
    assert not told_["issuer"].endswith("/")
    assert told_["code_challenge_methods_supported"] == ["S256"]
    assert "none" in told_["token_endpoint_auth_methods_supported"]
    assert told_["authorization_response_iss_parameter_supported"] is True
    assert "client_id_metadata_document_supported" not in told_
    hostile = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "gopher", "forwarded": "host=evil.example"}
    assert (await here.http.get(url, headers=hostile)).json() == told_
    assert (await here.http.get(url, headers={"host": "evil.example"})).status_code == 404
    assert (await here.http.get(url.replace("127.0.0.1", "acme.localhost"))).status_code == 404


@pytest.mark.parametrize("organisation", ["acme", "globex"])
async def test_the_organisation_chosen_on_the_page_is_the_one_in_the_token(organisation: str) -> None:
    here = Connecting()
    program, tokens = await here.connect(organisation, read_only=None)
    said = claims(tokens["access_token"])
    assert said["organisationId"] == here.sandbox.organisations[organisation].id
    assert said["roles"] == [f"orgId-{said['organisationId']}:role-admin"]
    assert (said["aud"], said["type"], said["client_id"]) == (f"{DOOR}/o/mcp", "oauth", program.client_id)
    assert tokens["scope"] == said["scope"] == "nudj:read nudj:write"


async def test_what_the_person_gives_less_of_is_what_the_token_says() -> None:
    here = Connecting()
    acme = here.sandbox.organisations["acme"]
    _program, tokens = await here.connect("acme", role="manager", community=acme.community_id)
    said = claims(tokens["access_token"])
    assert said["roles"] == [f"orgId-{acme.id}:comId-{acme.community_id}:role-manager"]
    assert tokens["scope"] == "nudj:read"  # read only unless the tick is taken away


async def test_with_several_organisations_nothing_is_chosen_beforehand_and_with_one_nothing_has_to_be() -> None:
    here = Connecting()
    program = await here.program()
    page = await here.person().sign_in(program.link())
    form = Form(page.text)
    assert form.choices["organisation"] == ["acme", "globex"]
    assert "organisation" not in form.fields
    assert form.fields["read_only"] == "yes"
    alone = await here.person("admin@acme.example").sign_in(program.link())
    assert Form(alone.text).fields["organisation"] == "acme"


async def test_an_organisation_in_the_path_leaves_no_choice_and_opens_no_other() -> None:
    here = Connecting()
    program = await here.program()
    resource = f"{DOOR}/o/t/acme/mcp"
    page = await here.person().sign_in(program.link(resource))
    assert Form(page.text).fields["organisation"] == "acme"
    answered = await here.person().allow(program.link(resource))
    tokens = (await program.redeem(answered["code"], resource=resource)).json()
    assert claims(tokens["access_token"])["aud"] == resource
    person = here.person("admin@globex.example")
    refused = await person.submit(await person.sign_in(program.link(resource)), "allow", organisation="acme")
    assert told(refused)["error"] == "access_denied"


async def test_the_page_names_the_client_where_the_answer_goes_and_for_how_long() -> None:
    """T1: a stranger registers, somebody signed in opens the link: the page tells on him; nothing happens by itself."""
    here = Connecting()
    answer = await here.register("https://attacker.example/cb", client_name="<b>Claude</b>\u202e")
    program = await here.program("https://attacker.example/cb")
    program.client_id = answer.json()["client_id"]
    person = here.person()
    page = await person.sign_in(program.link())
    assert page.status_code == 200
    assert "attacker.example" in page.text
    assert "&lt;b&gt;Claude&lt;/b&gt;" in page.text
    assert "90 days" in page.text
    again = await person.open(program.link())
    assert again.status_code == 200  # signed in, allowed before or not: it is always asked
    assert "location" not in again.headers


async def test_a_request_is_answered_in_the_browser_and_session_that_saw_it() -> None:
    """T2."""
    here = Connecting()
    program = await here.program()
    attacker, victim = here.person("admin@globex.example"), here.person()
    page = await attacker.sign_in(program.link())
    elsewhere = await victim.open(str(page.url))
    assert elsewhere.status_code == 404
    # The same browser, another person's session: not without signing out on the page.
    attacker.http.cookies.delete("nudj_session")
    other = here.person()
    other.http.cookies = attacker.http.cookies
    assert (await other.sign_in(str(page.url))).status_code == 403


async def test_a_form_without_proof_or_from_another_origin_or_sent_again_does_nothing() -> None:
    """T2."""
    here = Connecting()
    program, person = await here.program(), here.person()
    page = await person.sign_in(program.link())
    fields = Form(page.text).fields | {"do": "allow", "organisation": "acme"}
    for origin, csrf in (("http://evil.example", fields["csrf"]), (here.issuer, "x"), ("null", fields["csrf"])):
        answer = await person.http.post(str(page.url), data=fields | {"csrf": csrf}, headers={"origin": origin})
        assert answer.status_code == 403
    assert "code" in told(await person.submit(page, "allow", organisation="acme"))
    assert (await person.submit(page, "allow", organisation="acme")).status_code == 404


async def test_another_site_cannot_bring_a_person_past_a_click_of_their_own() -> None:
    """T3: not even to the question."""
    here = Connecting()
    program, person = await here.program(), here.person()
    await person.sign_in(program.link())
    first = await person.http.get(program.link(), headers={"sec-fetch-site": "cross-site"})
    page = await person.http.get(here.issuer + first.headers["location"], headers={"sec-fetch-site": "cross-site"})
    assert "Continue" in page.text
    assert "<form" not in page.text


@pytest.mark.parametrize(
    "resource",
    [
        None,
        "https://elsewhere.example/o/mcp",
        f"{DOOR}/mcp",
        f"{DOOR}/o/mcp/",
        f"{DOOR}/o/mcp#x",
        f"{DOOR}/o/mcp?x",
        f"{DOOR}/o/t//mcp",
        f"{DOOR}/o/t/acme/mcp/../mcp",
        f"{DOOR}/O/mcp",
        DOOR,
    ],
)
async def test_a_token_is_made_for_a_door_of_ours_alone(resource: str | None) -> None:
    """T4."""
    here = Connecting()
    program = await here.program()
    answered = told(await here.person().open(program.link(resource=resource)))
    assert answered["error"] == "invalid_target"
    assert (answered["state"], answered["iss"]) == ("the-state", here.issuer)


async def test_a_doubled_resource_or_another_one_at_the_token_endpoint_is_refused() -> None:
    """T4."""
    here = Connecting()
    program = await here.program()
    doubled = program.link() + "&resource=" + quote(f"{DOOR}/o/mcp")
    assert told(await here.person().open(doubled))["error"] == "invalid_target"
    answered = await here.person().allow(program.link(), "acme")
    assert (await program.redeem(answered["code"], resource=f"{DOOR}/o/t/acme/mcp")).json()["error"] == "invalid_target"
    _program, tokens = await here.connect()
    other = await _program.refresh(tokens["refresh_token"], resource=f"{DOOR}/o/t/globex/mcp")
    assert other.json()["error"] == "invalid_target"
    twice = f"grant_type=refresh_token&resource={quote(DOOR)}&resource={quote(DOOR)}&client_id={program.client_id}"
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = await here.http.post(f"{here.issuer}/oauth/token", content=twice, headers=form)
    assert answer.json()["error"] == "invalid_target"


async def test_the_tenants_api_refuses_the_clients_own_token() -> None:
    """T4: it was made for the door."""
    here = Connecting()
    _program, tokens = await here.connect("acme", read_only=None)
    answer = await here.tenants.ask("GET", "/tags", token=tokens["access_token"])
    assert answer.status_code == 401


HOSTILE = [
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "cursor://callback",
    "about:blank",
    "blob:https://a.example/x",
    "http://attacker.example/cb",
    "http://attacker.example:80/cb",
    "http://127.0.0.1.attacker.example/cb",
    "http://localhost.attacker.example/cb",
    "http://127.0.0.1@attacker.example/cb",
    "http://attacker.example\\@127.0.0.1/cb",
    "http://127.1/cb",
    "http://2130706433/cb",
    "http://0x7f.1/cb",
    "http://0.0.0.0/cb",
    "http://[::ffff:127.0.0.1]/cb",
    "http://[::1/cb",
    "http:///cb",
    "http:127.0.0.1/cb",
    "http:/127.0.0.1/cb",
    "https://user@good.example/cb",
    "https://user:pass@good.example/cb",
    "https://good.example/cb#fragment",
    "https://good.example/cb#",
    "https:good.example/cb",
    "https:/good.example/cb",
    "https://",
    "https:///cb",
    "https://good.example:0/cb",
    "https://good.example:99999/cb",
    "https://good.example:port/cb",
    "https://good.example/cb\r\nx: y",
    "https://good.example/c b",
    " https://good.example/cb",
    "https://good.example/cb\x00",
    'https://good.example/"cb"',
    "//good.example/cb",
    "/cb",
    "good.example/cb",
    "",
    "https://good.example/" + "x" * 2100,
    "urn:ietf:wg:oauth:2.0:oob",
]


@pytest.mark.parametrize("uri", HOSTILE)
async def test_a_hostile_redirect_uri_is_neither_registered_nor_gone_to(uri: str) -> None:
    """T5."""
    here = Connecting()
    answer = await here.register(uri)
    assert answer.json()["error"] == "invalid_redirect_uri"
    program = await here.program("https://good.example/cb")
    asked = await here.person().open(program.link(redirect_uri=uri))
    assert asked.status_code == 400
    assert "location" not in asked.headers


@pytest.mark.parametrize(
    ("registered", "asked", "fits"),
    [
        ("http://127.0.0.1:1/callback", "http://127.0.0.1:50000/callback", True),
        ("http://localhost/callback", "http://localhost:50000/callback", True),
        ("http://[::1]/callback", "http://[::1]:50000/callback", True),
        ("http://localhost/callback", "http://127.0.0.1:50000/callback", False),
        ("http://127.0.0.1/callback", "http://127.0.0.1:50000/callback/", False),
        ("http://127.0.0.1/callback", "http://127.0.0.1:50000/other", False),
        ("http://127.0.0.1/callback", "http://127.0.0.1:50000/callback?x=1", False),
        ("https://good.example/cb", "https://good.example/cb", True),
        ("https://good.example/cb", "https://good.example:8443/cb", False),
        ("https://good.example/cb", "https://good.example/cb/", False),
        ("https://good.example/cb", "https://GOOD.example/cb", False),
        ("https://good.example/cb", "https://evil.example/cb", False),
        ("https://good.example/cb", "https://good.example/cb/..", False),
    ],
)
async def test_a_redirect_uri_is_compared_exactly_but_for_a_loopback_port(
    registered: str, asked: str, fits: bool
) -> None:
    """T5."""
    here = Connecting()
    program = await here.program(registered)
    page = await here.person().open(program.link(redirect_uri=asked))
    assert page.status_code == (200 if fits else 400)
    assert "location" not in page.headers


@pytest.mark.parametrize(
    "how",
    [
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": "short"},
        {"code_challenge": "x" * 44},
    ],
)
async def test_without_s256_nobody_is_asked(how: dict[str, str | None]) -> None:
    """T6."""
    here = Connecting()
    program = await here.program()
    answered = told(await here.person().open(program.link(**how)))
    assert answered == {
        "error": "invalid_request",
        "error_description": "PKCE with S256 is required.",
        "state": "the-state",
        "iss": here.issuer,
    }


@pytest.mark.parametrize("verifier", [None, "", "x", "w" * 43, "w" * 129])
async def test_a_wrong_verifier_gets_nothing_and_spends_the_code(verifier: str | None) -> None:
    """T6."""
    here = Connecting()
    program = await here.program()
    code = (await here.person().allow(program.link(), "acme"))["code"]
    assert (await program.redeem(code, code_verifier=verifier)).json()["error"] == "invalid_grant"
    assert (await program.redeem(code)).json()["error"] == "invalid_grant"


async def test_of_fifty_who_redeem_one_code_one_succeeds_and_then_the_grant_is_dead() -> None:
    """T7."""
    here = Connecting()
    program = await here.program()
    code = (await here.person().allow(program.link(), "acme"))["code"]
    answers = await asyncio.gather(*(program.redeem(code) for _ in range(50)))
    good = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(good) == 1
    assert (await program.refresh(good[0]["refresh_token"])).json()["error"] == "invalid_grant"
    feed = (await here.http.get(here.sandbox.revocations_url)).json()["revoked"]
    assert claims(good[0]["access_token"])["jti"] in {each["jti"] for each in feed}


async def test_a_code_is_good_for_a_minute_for_its_client_and_its_redirect_uri() -> None:
    here = Connecting()
    program, other = await here.program(), await here.program()
    other.verifier = program.verifier
    for spoil in ("late", "client", "redirect"):
        code = (await here.person().allow(program.link(), "acme"))["code"]
        here.now += 61 if spoil == "late" else 0
        asking = other if spoil == "client" else program
        more = {"redirect_uri": CALLBACK + "x"} if spoil == "redirect" else {}
        assert (await asking.redeem(code, **more)).json()["error"] == "invalid_grant", spoil


async def test_a_refresh_token_is_replaced_at_each_use_and_the_old_one_has_thirty_seconds() -> None:
    """T8."""
    here = Connecting()
    program, tokens = await here.connect()
    old = tokens["refresh_token"]
    answers = await asyncio.gather(*(program.refresh(old) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    fresh = [answer.json()["refresh_token"] for answer in answers if "refresh_token" in answer.json()]
    assert len(fresh) == 1
    here.now += 31
    assert (await program.refresh(old)).json()["error"] == "invalid_grant"
    assert (await program.refresh(fresh[0])).json()["error"] == "invalid_grant"  # the whole family has ended


async def test_a_refresh_gives_no_more_than_was_granted_and_nothing_to_others() -> None:
    """T8."""
    here = Connecting()
    program, tokens = await here.connect()
    other = await here.program()
    refresh = tokens["refresh_token"]
    assert (await program.refresh(refresh, scope="nudj:read nudj:write")).json()["error"] == "invalid_scope"
    assert (await other.refresh(refresh)).json()["error"] == "invalid_grant"
    assert (await program.refresh(refresh, client_id="c-unknown")).status_code == 401
    answer = (await program.refresh(refresh, scope="offline_access nudj:read")).json()
    assert answer["scope"] == "nudj:read"


@pytest.mark.parametrize("unused_days", [31, 100])
async def test_a_connection_ends_a_month_after_its_last_use_and_after_three_in_any_case(unused_days: int) -> None:
    here = Connecting()
    program, tokens = await here.connect()
    refresh = tokens["refresh_token"]
    if unused_days > 90:
        for _ in range(4):
            here.now += 25 * 24 * 3600
            answer = await program.refresh(refresh)
            refresh = answer.json().get("refresh_token", refresh)
    else:
        here.now += unused_days * 24 * 3600
    assert (await program.refresh(refresh)).json()["error"] == "invalid_grant"


async def test_a_client_ends_its_own_connection_and_no_other() -> None:
    """T9."""
    here = Connecting()
    program, tokens = await here.connect()
    other = await here.program()
    for token in (tokens["access_token"], tokens["refresh_token"], "nothing"):
        assert (await other.ask("revoke", {"token": token})).status_code == 200
    assert (await program.refresh(tokens["refresh_token"])).status_code == 200
    assert (await program.ask("revoke", {"token": tokens["access_token"]})).status_code == 200
    feed = (await here.http.get(here.sandbox.revocations_url)).json()["revoked"]
    assert claims(tokens["access_token"])["jti"] in {each["jti"] for each in feed}
    assert (await here.exchange(tokens["access_token"])).json()["error"] == "invalid_grant"


async def test_only_the_server_may_introspect_and_exchange() -> None:
    """T9, T12."""
    here = Connecting()
    program, tokens = await here.connect()
    token = tokens["access_token"]
    told_ = (await here.server("introspect", {"token": token})).json()
    assert told_["active"] is True
    assert (told_["aud"], told_["sub"]) == (f"{DOOR}/o/mcp", claims(token)["sub"])
    for stranger in (
        await program.ask("introspect", {"token": token}),
        await here.server("introspect", {"token": token}, secret="wrong"),
        await program.ask("introspect", {"token": token}, auth=(program.client_id, "")),
    ):
        assert stranger.status_code in (400, 401)
        assert "active" not in stranger.json()
    assert (await here.server("introspect", {"token": here.tenants.tokens["acme"]["tokens"]["admin"]})).json() == {
        "active": False
    }
    assert (await here.server("introspect", {"token": tokens["refresh_token"]})).json() == {"active": False}


async def test_an_exchanged_token_is_the_same_person_in_the_same_organisation_and_ends_sooner() -> None:
    here = Connecting()
    _program, tokens = await here.connect("acme", read_only=None)
    answer = (await here.exchange(tokens["access_token"])).json()
    mine, theirs = claims(tokens["access_token"]), claims(answer["access_token"])
    assert {name: theirs[name] for name in ("sub", "organisationId", "roles")} == {
        name: mine[name] for name in ("sub", "organisationId", "roles")
    }
    assert (theirs["aud"], theirs["type"]) == ("nudj-admin-api", "mcp")
    assert theirs["act"] == {"sub": here.sandbox.oauth.client_id}
    assert theirs["exp"] <= mine["exp"]
    assert answer["expires_in"] <= 300
    assert (await here.tenants.ask("GET", "/tags", token=answer["access_token"])).status_code == 200
    assert (
        await here.tenants.ask("GET", "/tags", organisation="globex", token=answer["access_token"])
    ).status_code == 403
    for wrong in ({"audience": "another"}, {"resource": here.sandbox.organisations["globex"].api_domain}):
        assert (await here.exchange(tokens["access_token"], **wrong)).json()["error"] == "invalid_target"
    assert (await here.exchange(answer["access_token"])).json()["error"] == "invalid_grant"


async def test_a_token_that_may_only_read_changes_nothing_even_past_the_server() -> None:
    here = Connecting()
    _program, tokens = await here.connect("acme")
    token = (await here.exchange(tokens["access_token"])).json()["access_token"]
    assert (await here.tenants.ask("GET", "/tags", token=token)).status_code == 200
    assert (await here.tenants.ask("POST", "/tags", {"value": "New"}, token=token)).status_code == 403


CLIENT = "https://client.example/oauth/client.json"


async def test_a_client_named_by_its_document_is_one_of_those_written_down() -> None:
    """T10: nothing is fetched, so there is nothing to lead astray; the page names the document's host."""
    fits = {"client_id": CLIENT, "client_name": "C", "redirect_uris": ["http://127.0.0.1/callback"]}
    here = Connecting(client_documents={CLIENT: fits})
    program = await here.program()
    program.client_id = CLIENT
    page = await here.person().sign_in(program.link())
    assert "client.example" in page.text
    code = (await here.person().allow(program.link(), "acme"))["code"]
    tokens = (await program.redeem(code)).json()
    assert (await program.refresh(tokens["refresh_token"])).status_code == 200
    metadata = await here.http.get(f"{here.issuer}/.well-known/oauth-authorization-server")
    assert metadata.json()["client_id_metadata_document_supported"] is True


@pytest.mark.parametrize(
    "spoilt",
    [
        {"client_id": "https://other.example/client.json"},
        {"client_id": None},
        {"redirect_uris": ["http://attacker.example/cb"]},
        {"redirect_uris": []},
        {"client_name": "x" * 6000},
        {"token_endpoint_auth_method": "private_key_jwt"},
    ],
)
async def test_an_unfit_document_names_nobody(spoilt: dict[str, Any]) -> None:
    """T10."""
    document = {"client_id": CLIENT, "redirect_uris": ["http://127.0.0.1/callback"]} | spoilt
    here = Connecting(client_documents={CLIENT: document})
    program = await here.program()
    for client_id in (CLIENT, "https://169.254.169.254/client.json", "https://127.0.0.1/client.json"):
        program.client_id = client_id
        assert (await here.person().open(program.link())).status_code == 400


async def test_a_document_that_prefers_a_key_but_lists_none_is_fit() -> None:
    methods = {"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_methods_supported": ["none"]}
    document = {"client_id": CLIENT, "redirect_uris": ["http://127.0.0.1/callback"]} | methods
    here = Connecting(client_documents={CLIENT: document})
    program = await here.program()
    program.client_id = CLIENT
    assert (await here.person().sign_in(program.link())).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"organisation": None}, 400),
        ({"organisation": "initech"}, 400),
        ({"organisation": "acme", "role": "super-admin"}, 403),
        ({"organisation": "acme", "role": "owner"}, 403),
        ({"organisation": "acme", "community": "f" * 24}, 400),
    ],
)
async def test_what_the_form_did_not_offer_is_not_given(fields: dict[str, str | None], status: int) -> None:
    """T11."""
    here = Connecting()
    program, person = await here.program(), here.person()
    page = await person.sign_in(program.link())
    assert (await person.submit(page, "allow", **fields)).status_code == status
    globex = here.sandbox.organisations["globex"].community_id
    foreign = await person.submit(page, "allow", organisation="acme", community=globex)
    assert foreign.status_code == 400


@pytest.mark.parametrize("moment", ["consent", "code", "refresh", "exchange"])
@pytest.mark.parametrize("loss", ["membership", "role"])
async def test_who_leaves_or_sinks_loses_the_connection_at_the_next_step(moment: str, loss: str) -> None:
    """T11."""
    here = Connecting()
    program, person = await here.program(), here.person()

    def lose() -> None:
        left = {"role": "admin", "organisations": ("globex",)}
        sunk = {"role": "viewer", "organisations": ("acme", "globex")}
        how: Any = left if loss == "membership" else sunk
        oauth = here.sandbox.oauth
        # Before a refresh or a code nothing else has noticed: the step itself must read the membership again.
        change = oauth.change_account if moment == "exchange" else oauth._accounts.change
        change(person.account.id, **how)

    page = await person.sign_in(program.link())
    if moment == "consent":
        lose()
        answer = await person.submit(page, "allow", organisation="acme")
        assert answer.status_code in (400, 403)
        return
    code = told(await person.submit(page, "allow", organisation="acme"))["code"]
    if moment == "code":
        lose()
        assert (await program.redeem(code)).json()["error"] == "invalid_grant"
        return
    tokens = (await program.redeem(code)).json()
    exchanged = (await here.exchange(tokens["access_token"])).json()["access_token"]
    lose()
    if moment == "refresh":
        assert (await program.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    else:
        assert (await here.exchange(tokens["access_token"])).json()["error"] == "invalid_grant"
    feed = {each["jti"] for each in (await here.http.get(here.sandbox.revocations_url)).json()["revoked"]}
    assert {claims(tokens["access_token"])["jti"], claims(exchanged)["jti"]} <= feed


async def test_the_page_lets_its_answer_leave_and_keeps_its_opener() -> None:
    """T14: a browser that holds form-action against redirects would block the way back to the client."""
    here = Connecting()
    page = await here.person().sign_in((await here.program()).link())
    policy = page.headers["content-security-policy"]
    assert "form-action" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "cross-origin-opener-policy" not in page.headers
    assert page.headers["cache-control"] == "no-store"


async def test_cancel_is_told_to_the_client() -> None:
    here = Connecting()
    program, person = await here.program(), here.person()
    answered = told(await person.submit(await person.sign_in(program.link()), "cancel"))
    assert (answered["error"], answered["state"], answered["iss"]) == ("access_denied", "the-state", here.issuer)


async def test_another_account_may_be_used() -> None:
    here = Connecting()
    program, person = await here.program(), here.person("admin@globex.example")
    page = await person.submit(await person.sign_in(program.link()), "sign-out")
    person.account = here.person().account
    page = await person.submit(page, "sign-in", email=person.account.email, password=person.account.password)
    assert "code" in told(await person.submit(page, "allow", organisation="acme"))


async def test_registration_is_bounded() -> None:
    here = Connecting()
    statuses = [(await here.register()).status_code for _ in range(25)]
    assert statuses.count(201) == 20
    assert statuses[-1] == 429
    here.now += 61
    assert (await here.register(client_name="x" * 9000)).status_code == 413
    many = [f"https://good.example/{number}" for number in range(11)]
    assert (await here.register(redirect_uris=many)).json()["error"] == "invalid_redirect_uri"
    for body in ("", "[]", "nul", "[" * 5000):
        answer = await here.http.post(
            f"{here.issuer}/oauth/register", content=body, headers={"content-type": "application/json"}
        )
        assert answer.json()["error"] == "invalid_client_metadata"


async def test_a_confidential_client_proves_itself_each_time() -> None:
    here = Connecting()
    registered = (await here.register(token_endpoint_auth_method="client_secret_basic")).json()
    program = await here.program()
    program.client_id, secret = registered["client_id"], registered["client_secret"]
    code = (await here.person().allow(program.link(), "acme"))["code"]
    refused = await program.redeem(code)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert refused.headers["www-authenticate"].startswith("Basic")
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    sent = {**fields, "code_verifier": program.verifier, "client_id": None}
    answer = await program.ask("token", sent, auth=(program.client_id, secret))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


async def test_nothing_secret_is_kept_in_the_clear(tmp_path: Any) -> None:
    """T17, in the database."""
    here = Connecting(database=tmp_path / "tenant.sqlite")
    program = await here.program()
    code = (await here.person().allow(program.link(), "acme"))["code"]
    tokens = (await program.redeem(code)).json()
    refreshed = (await program.refresh(tokens["refresh_token"])).json()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    secrets = [code, program.verifier, here.sandbox.oauth.client_secret]
    secrets += [each[name] for each in (tokens, refreshed) for name in ("access_token", "refresh_token")]
    assert [secret for secret in secrets if secret.encode() in kept] == []
    assert program.client_id.encode() in kept
    assert json.dumps(tokens)  # and they were there to be found


async def test_a_connection_is_seen_and_ended_by_its_person_and_by_admins_of_its_organisation() -> None:
    here = Connecting()
    program, tokens = await here.connect("acme")
    url = f"{here.issuer}/admin/connections"
    stranger, admin = here.person("admin@globex.example"), here.person("admin@acme.example")
    manager = here.person("manager@acme.example")
    for person in (stranger, admin, manager):
        sent = {"email": person.account.email, "password": person.account.password, "organisation": ""}
        await person.http.post(f"{here.issuer}/admin/sign-in", data=sent, headers={"origin": here.issuer})
    page = await admin.open(url)
    assert "A program" in page.text
    assert "consultant@both.example" in page.text
    end = f"{url}/{claims(tokens['access_token'])['grant']}/end"
    for person in (stranger, manager):
        theirs = await person.open(url)
        assert "A program" not in theirs.text
        csrf = Form(theirs.text).fields["csrf"]
        answer = await person.http.post(end, data={"csrf": csrf}, headers={"origin": here.issuer})
        assert answer.status_code == 404
    csrf = Form(page.text).fields["csrf"]
    assert (await admin.http.post(end, data={"csrf": csrf}, headers={"origin": here.issuer})).status_code == 303
    assert (await program.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert "A program" not in (await admin.open(url)).text
