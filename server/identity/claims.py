"""What a token says of its bearer, once its signature holds: one strict model, and the Principal made of it."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from server.credentials.parsing import CredentialKind
from server.identity.principal import Grant, Principal, Role
from server.identity.token_format import TYPES, UnverifiedToken, build_invalid
from tools.refusals import Code, ToolError

_YEAR_10000 = 253_402_300_800
_GRANT = re.compile(r"orgId-([0-9a-fA-F]{24})(?::comId-([0-9a-fA-F]{24}))?:role-([a-z][a-z-]{0,39})")
_ROLES = {role.value: role for role in Role}
_EVERYWHERE = f"role-{Role.SUPER_ADMIN}"


def _is_printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("not printable")
    return text


_Name = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_is_printable)]
_Date = Annotated[int | float, Field(ge=0, lt=_YEAR_10000)]
_OrganisationId = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{24}$")]


@dataclass(frozen=True, slots=True)
class ExpectedClaims:
    """What the operator demands of a token.

    Parameters:
        issuer, audience: `iss`, and a member of `aud`; None checks nothing and is worth a warning at start.
        kinds: values of the `type` claim that are access tokens, None for any; a token without the claim is the
            long-lived API token.
        types: `typ` headers accepted, lower case; None stands for absent.
        skew_s: 0-30, how far the issuer's clock may be ahead of ours (`nbf`, `iat`); `exp` gets no grace.
        organisation_claim, roles_claim: the names under which the issuer says them.
        oauth: the tokens are OAuth grants: audience, scopes and client are read, every one is a bearer's, and roles of
            another form than ours grant nothing (an issuer of several products has others).
        door: base URL of the OAuth door, so that a token that was made for it is told where to go.
    """

    issuer: str | None = None
    audience: str | None = None
    kinds: frozenset[str] | None = frozenset({"mcp", "session"})
    types: frozenset[str | None] = TYPES
    skew_s: int = 30
    organisation_claim: str = "organisationId"
    roles_claim: str = "roles"
    oauth: bool = False
    door: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.skew_s <= 30:
            raise ValueError("clock skew must be 0-30 seconds")


class Claims(BaseModel):
    """The claims this server reads; every other claim is ignored, except those that would restrict the token."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    sub: _Name
    organisation: Annotated[_OrganisationId, Field(alias="organisationId")]
    exp: _Date
    roles: Annotated[list[str], Field(max_length=200)] = []
    nbf: _Date | None = None
    iat: _Date | None = None
    iss: str | None = None
    aud: str | list[str] | None = None
    jti: _Name | None = None
    type: str | None = None


_READ = frozenset({"sub", "organisationId", "exp", "roles", "nbf", "iat", "iss", "aud", "jti", "type"})


def build_principal(token: UnverifiedToken, digest: str, expected: ExpectedClaims, now: float) -> Principal:
    """Who the token speaks for.

    Parameters:
        digest: SHA-256 of the token, hex.
        now: seconds since the epoch.

    Raises:
        ToolError: token_invalid or token_expired.
    """
    claims = _read(token, expected)
    _check_times(claims, expected, now)
    _check_expected(claims, expected)
    organisation = claims.organisation.lower()
    return Principal(
        subject=claims.sub,
        organisation=organisation,
        grants=_read_grants(claims.roles, organisation, strict=not expected.oauth),
        expires_at=int(claims.exp),
        token_id=claims.jti,
        kind=_check_kind(claims.type, expected),
        digest=digest,
        **(_read_grant_of(token, claims) if expected.oauth else {}),
    )


def _read_grant_of(token: UnverifiedToken, claims: Claims) -> dict[str, Any]:
    """What only an OAuth token says (RFC 9068 section 2.2); `scp`, `azp` and `sid` are older words for the same."""
    said = token.claims

    def read(*names: str) -> str | None:
        found = next((said[name] for name in names if name in said), None)
        return found if isinstance(found, str) and 0 < len(found) <= 256 and found.isprintable() else None

    scope = said.get("scope", said.get("scp", ""))
    words = scope.split() if isinstance(scope, str) else scope if isinstance(scope, list) else []
    return {
        "audiences": (claims.aud,) if isinstance(claims.aud, str) else tuple(claims.aud or ()),
        "scopes": frozenset(word for word in words[:100] if isinstance(word, str)),
        "client_id": read("client_id", "azp"),
        "grant_id": read("grant", "sid"),
    }


def _read(token: UnverifiedToken, expected: ExpectedClaims) -> Claims:
    renamed = {"organisationId": expected.organisation_claim, "roles": expected.roles_claim}
    said = {name: value for name, value in token.claims.items() if name not in renamed}
    said |= {own: token.claims[theirs] for own, theirs in renamed.items() if theirs in token.claims}
    if any(said.get(name, "") is None for name in _READ):
        raise build_invalid("claims", "The token has a claim that is null.")
    if "cnf" in said:
        raise build_invalid(
            "claims", "The token is bound to a key of its holder (cnf), and no proof of that came with it."
        )
    try:
        return Claims.model_validate(said)
    except ValidationError as fault:
        names = sorted({str(error["loc"][0]) for error in fault.errors(include_input=False)})
        raise build_invalid(
            "claims", f"The token's claims are missing or of the wrong form: {', '.join(names)}."
        ) from None


def _check_times(claims: Claims, expected: ExpectedClaims, now: float) -> None:
    if claims.exp <= now:
        raise ToolError(Code.TOKEN_EXPIRED, "The token's lifetime is over.")
    if max(claims.nbf or 0, claims.iat or 0) > now + expected.skew_s:
        raise build_invalid(
            "not_yet_valid", "The token is not valid yet.", "Check the clock of the machine that made it."
        )


def _check_expected(claims: Claims, expected: ExpectedClaims) -> None:
    if expected.issuer is not None and claims.iss != expected.issuer:
        raise build_invalid("issuer", "The token comes from another issuer.")
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud or []
    if expected.audience is not None and expected.audience not in audiences:
        door = expected.door
        if door is not None and any(audience.startswith(f"{door}/o/") for audience in audiences):
            hint = (
                f"Connect the client to {door}/o/mcp, without headers; or mint a token in the admin panel for this URL."
            )
            raise build_invalid("audience", "The token was made for the OAuth door of this server.", hint)
        raise build_invalid("audience", "The token was made for another audience.")


def _check_kind(word: str | None, expected: ExpectedClaims) -> CredentialKind:
    if expected.oauth:
        return "bearer"
    if word is not None and expected.kinds is not None and word not in expected.kinds:
        raise build_invalid("kind", "The token is not an access token: its type claim names another use.")
    return "api_token" if word is None else "bearer"


def _read_grants(roles: list[str], organisation: str, *, strict: bool) -> tuple[Grant, ...]:
    return _intern(
        tuple(dict.fromkeys(grant for text in roles if (grant := _read_grant(text, organisation, strict)) is not None))
    )


@lru_cache(10_000)
def _intern(grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
    """The same object for equal grants, so that what is remembered by them is found without comparing them."""
    return grants


def _read_grant(text: str, organisation: str, strict: bool) -> Grant | None:
    if text == _EVERYWHERE:
        return Grant(Role.SUPER_ADMIN)
    found = _GRANT.fullmatch(text)
    if found is None:
        if strict and re.fullmatch(r"role-[a-z][a-z-]{0,39}", text) is None:
            raise build_invalid("roles", "The token has a role in a form this server does not know.")
        return None
    home, community, word = found.groups()
    if home.lower() != organisation or word not in _ROLES:
        return None
    return Grant(_ROLES[word], None if community is None else community.lower())
