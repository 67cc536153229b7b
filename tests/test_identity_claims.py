"""What the claims of a token make of its bearer."""

from typing import Any

import pytest

from server.identity.claims import ExpectedClaims, build_principal
from server.identity.principal import Grant, Principal, Role
from server.identity.token_format import UnverifiedToken
from tests.support.token_issuer import ACME, COMMUNITY, GLOBEX, NOW, claims
from tools.refusals import Code, ToolError

ANY = ExpectedClaims()


def refusal(expected: ExpectedClaims = ANY, **changed: Any) -> ToolError:
    with pytest.raises(ToolError) as caught:
        read(expected, **changed)
    return caught.value


def read(expected: ExpectedClaims = ANY, **changed: Any) -> Principal:
    """The principal of these claims; None stays null, `...` takes the claim away."""
    given = {name: value for name, value in (claims() | changed).items() if value is not ...}
    return build_principal(UnverifiedToken("", "ES256", None, given), "d", expected, NOW)


def test_a_token_says_who_its_bearer_is() -> None:
    assert read() == Principal(
        "user-1", ACME, (Grant(Role.ADMIN),), int(NOW) + 3600, token_id="token-1", kind="bearer", digest="d"
    )


@pytest.mark.parametrize(("kind", "is_"), [("mcp", "bearer"), ("session", "bearer"), (..., "api_token")])
def test_the_type_claim_tells_the_two_credentials_apart(kind: object, is_: str) -> None:
    assert read(type=kind).kind == is_


@pytest.mark.parametrize("kind", ["refresh", "id", "", "MCP"])
def test_a_token_made_for_another_use_is_refused(kind: str) -> None:
    assert refusal(type=kind).reason == "kind"


def test_ids_are_compared_in_lower_case() -> None:
    upper = read(organisationId=ACME.upper(), roles=[f"orgId-{ACME.upper()}:comId-{COMMUNITY.upper()}:role-manager"])
    assert (upper.organisation, upper.grants) == (ACME, (Grant(Role.MANAGER, COMMUNITY),))


@pytest.mark.parametrize(
    ("roles", "grants"),
    [
        ([f"orgId-{ACME}:role-{role.value}" for role in Role], tuple(Grant(role) for role in Role)),
        ([f"orgId-{ACME}:comId-{COMMUNITY}:role-viewer"], (Grant(Role.VIEWER, COMMUNITY),)),
        (["role-super-admin"], (Grant(Role.SUPER_ADMIN),)),
        ([f"orgId-{GLOBEX}:role-admin"], ()),
        ([f"orgId-{GLOBEX}:role-super-admin"], ()),
        ([f"orgId-{GLOBEX}:comId-{COMMUNITY}:role-admin"], ()),
        ([f"orgId-{ACME}:role-owner"], ()),
        (["role-admin"], ()),
        (["role-viewer", f"orgId-{ACME}:role-viewer"], (Grant(Role.VIEWER),)),
        ([f"orgId-{ACME}:role-viewer"] * 2, (Grant(Role.VIEWER),)),
        ([], ()),
        (..., ()),
    ],
)
def test_role_strings_grant_only_in_the_tokens_own_organisation(roles: object, grants: tuple[Grant, ...]) -> None:
    assert read(roles=roles).grants == grants


def test_a_super_admin_is_bound_to_the_tokens_organisation() -> None:
    assert read(organisationId=GLOBEX, roles=["role-super-admin"]).organisation == GLOBEX


@pytest.mark.parametrize(
    "role",
    [
        "",
        "admin",
        "role-",
        "role-Super-Admin",
        " role-super-admin",
        "role-super-admin\n",
        f"orgId-{ACME}",
        f"orgId-{ACME}:role-Admin",
        f"orgId-{ACME}:role-admin\n",
        f"orgId-{ACME}:role-admin:role-viewer",
        f"orgId-{ACME[:-1]}:role-admin",
        f"orgId-{ACME}0:role-admin",
        "orgId-*:role-admin",
        f"orgid-{ACME}:role-admin",
        f"orgId-{ACME}:comId-:role-admin",
        f"orgId-{ACME}:comId-*:role-admin",
        f"comId-{COMMUNITY}:orgId-{ACME}:role-admin",
    ],
)
def test_a_role_in_an_unknown_form_refuses_the_token(role: str) -> None:
    assert refusal(roles=[role]).reason == "roles"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("sub", ...),
        ("sub", ""),
        ("sub", 7),
        ("sub", "a\nb"),
        ("sub", "a\u202eb"),
        ("sub", "x" * 257),
        ("organisationId", ...),
        ("organisationId", [ACME]),
        ("organisationId", [ACME, GLOBEX]),
        ("organisationId", ACME + "\n"),
        ("organisationId", ACME[:-1]),
        ("organisationId", "g" * 24),
        ("organisationId", {"id": ACME}),
        ("exp", ...),
        ("exp", str(int(NOW) + 60)),
        ("exp", True),
        ("exp", -1),
        ("exp", 10**18),
        ("exp", [int(NOW) + 60]),
        ("nbf", "0"),
        ("iat", "0"),
        ("iat", False),
        ("roles", "role-super-admin"),
        ("roles", {"0": "role-super-admin"}),
        ("roles", [["role-super-admin"]]),
        ("roles", [None]),
        ("roles", [7]),
        ("roles", ["role-viewer"] * 201),
        ("jti", ""),
        ("jti", 7),
        ("jti", "a\x00"),
        ("aud", 7),
        ("aud", [7]),
        ("iss", ["https://auth.nudj.cx"]),
        ("type", 7),
        ("cnf", {"jkt": "x"}),
        *(
            (name, None)
            for name in ("sub", "organisationId", "exp", "roles", "nbf", "iat", "iss", "aud", "jti", "type")
        ),
    ],
)
def test_a_claim_of_an_unknown_shape_refuses_the_token(claim: str, value: object) -> None:
    refused = refusal(ANY, **{claim: value})
    assert (refused.code, refused.reason) == (Code.TOKEN_INVALID, "claims")


def test_claims_nobody_reads_do_no_harm() -> None:
    assert read(OrganisationId=GLOBEX, organisationID=GLOBEX, organisation=GLOBEX, email=None).organisation == ACME


@pytest.mark.parametrize(("exp", "good"), [(NOW + 1, True), (NOW + 0.5, True), (NOW, False), (NOW - 1, False)])
def test_a_token_ends_at_its_expiry_to_the_second(exp: float, good: bool) -> None:
    if good:
        assert read(exp=exp).expires_at == int(exp)
    else:
        assert refusal(exp=exp).code is Code.TOKEN_EXPIRED


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_the_issuers_clock_may_be_ahead_by_the_skew_and_no_more(claim: str) -> None:
    expected = ExpectedClaims(skew_s=30)
    assert read(expected, **{claim: NOW + 30}).subject == "user-1"
    assert refusal(expected, **{claim: NOW + 31}).reason == "not_yet_valid"


def test_a_skew_of_more_than_thirty_seconds_is_refused() -> None:
    with pytest.raises(ValueError, match="0-30"):
        ExpectedClaims(skew_s=31)


@pytest.mark.parametrize("issuer", ["https://auth.nudj.cx.evil.example", "https://auth.nudj", "", ...])
def test_the_issuer_must_be_exactly_the_configured_one(issuer: object) -> None:
    expected = ExpectedClaims(issuer="https://auth.nudj.cx")
    assert read(expected).subject == "user-1"
    assert refusal(expected, iss=issuer).reason == "issuer"


@pytest.mark.parametrize(
    ("audience", "good"),
    [("nudj", True), (["other", "nudj"], True), ("nudj2", False), (["nud", "j"], False), ([], False), (..., False)],
)
def test_the_audience_must_name_this_server(audience: object, good: bool) -> None:
    expected = ExpectedClaims(audience="nudj")
    if good:
        assert read(expected, aud=audience).subject == "user-1"
    else:
        assert refusal(expected, aud=audience).reason == "audience"
