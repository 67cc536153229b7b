"""Over twenty thousand tokens, right and wrong, against an oracle that knows how each was made and parses nothing."""

import base64
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.credentials.parsing import PresentedCredentials, find_credential
from server.credentials.secret import Secret
from server.identity.claims import ExpectedClaims
from server.identity.keys import FixedKeys, KeySet, build_secret_key, parse_public_keys
from server.identity.principal import Grant, Principal, Role
from server.identity.verifier import KeyVerifier
from server.tenants.tenant import Tenant
from tests.support.token_issuer import (
    ACME,
    HOME,
    NOW,
    SECRET,
    Clock,
    bearer,
    claims,
    document,
    encoded,
    jwk,
    mint,
    signature,
    unrevoked,
)
from tests.support.token_parts import ENVELOPES, HEADERS, NAMED_IDS, PAYLOADS, PUBLIC, SIGNATURES, Part
from tools.refusals import Code, ToolError

KEYS: dict[str, KeySet] = {
    "public": parse_public_keys(document(*(jwk(algorithm) for algorithm in PUBLIC))),
    "secret": build_secret_key(Secret(SECRET)),
}
SKEW_S = 30


def many(cases: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Settings of a property with this many cases."""
    return settings(
        max_examples=cases, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True
    )


def one_of(parts: tuple[Part, ...]) -> st.SearchStrategy[Part]:
    """A good way two times out of three, so that whole good tokens are common too."""
    good, bad = ([part for part in parts if part.good is wanted] for wanted in (True, False))
    return st.integers(0, 5).flatmap(lambda turn: st.sampled_from(bad if turn == 0 else good))


@dataclass(frozen=True)
class Case:
    """How one token is made and when it is presented."""

    verify: str
    algorithm: str
    header: Part
    payload: Part
    signed: Part
    envelope: Part
    exp: int
    nbf: int | None
    iat: int | None
    role: Role
    community: bool
    kind: str | None

    def token(self) -> str:
        """The token, as a client would present it."""
        dates = {
            name: int(NOW) + at
            for name, at in (("exp", self.exp), ("nbf", self.nbf), ("iat", self.iat))
            if at is not None
        }
        bound = ":comId-" + "c" * 24 if self.community else ""
        made = claims(type=self.kind, roles=[f"orgId-{ACME}{bound}:role-{self.role}"], iat=None) | dates
        head = {"alg": self.algorithm, "typ": "JWT", "kid": self.algorithm}
        signed = f"{encoded(self.header.make(head))}.{encoded(self.payload.make(made))}"
        token: str = self.envelope.make(f"{signed}.{encoded(self.signed.make(signed, self.algorithm))}")
        return token

    def principal(self, digest: str) -> Principal:
        """Whom the token stands for, if it is accepted."""
        grant = (
            Grant(Role.ADMIN)
            if "grant" in self.payload.name
            else Grant(self.role, "c" * 24 if self.community else None)
        )
        return Principal(
            "user-1", ACME, (grant,), int(NOW) + self.exp, "token-1", "bearer" if self.kind else "api_token", digest
        )

    def defective(self) -> bool:
        """Whether any part is made wrong."""
        header = self.header.good or (self.verify == "secret" and self.header.name in NAMED_IDS)
        return not (header and self.payload.good and self.signed.good and self.envelope.good)

    def verdicts(self) -> set[Code | None]:
        """What may be said of the token: None is accepted."""
        expired, early = self.exp <= 0, max(self.nbf or 0, self.iat or 0) > SKEW_S
        if self.defective():
            return {Code.TOKEN_INVALID, Code.TOKEN_EXPIRED} if expired else {Code.TOKEN_INVALID}
        if expired:
            return {Code.TOKEN_EXPIRED}
        return {Code.TOKEN_INVALID} if early else {None}


_OFFSET = st.sampled_from([None, None, -3600, -1, 0, SKEW_S, SKEW_S + 1, 86_400])
CASES = st.builds(
    Case,
    verify=st.just("public"),
    algorithm=st.sampled_from(["ES256", "ES256", "EdDSA", "EdDSA", "RS256"]),
    header=one_of(HEADERS),
    payload=one_of(PAYLOADS),
    signed=one_of(SIGNATURES),
    envelope=one_of(ENVELOPES),
    exp=st.sampled_from([3600, 3600, 1, 0, -1, -86_400]),
    nbf=_OFFSET,
    iat=_OFFSET,
    role=st.sampled_from(Role),
    community=st.booleans(),
    kind=st.sampled_from(["mcp", "session", None]),
)


def done(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run what never has to wait, without the cost of an event loop per case."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return finished.value
    raise AssertionError("it waited")


def verifier(verify: str, clock: Clock) -> KeyVerifier:
    expected = ExpectedClaims(issuer="https://auth.nudj.cx", audience="nudj", skew_s=SKEW_S)
    return KeyVerifier(FixedKeys(KEYS[verify]), unrevoked(), expected, clock=clock)


def home() -> Tenant:
    return HOME


def verdict(judged: KeyVerifier, token: str) -> Code | Principal:
    """What is said of a token; anything but a principal or a refusal is an error of ours and comes out as one."""
    try:
        who: Principal = done(judged.verify(bearer(token), home))[0]
    except ToolError as refused:
        return refused.code
    return who


def presentable(presented: PresentedCredentials) -> Code | None:
    """What is said of the headers alone."""
    try:
        find_credential(presented)
    except ToolError as refused:
        return refused.code
    return None


def holds(case: Case) -> None:
    clock = Clock()
    judged, token = verifier(case.verify, clock), case.token()
    for _ in range(2):  # the second time from the cache
        said = verdict(judged, token)
        if isinstance(said, Principal):
            assert None in case.verdicts(), f"wrongly accepted: {case}"
            assert said == case.principal(said.digest)
        else:
            assert said in case.verdicts(), f"{said}: {case}"
    clock.now += max(case.exp, 0)
    assert not isinstance(verdict(judged, token), Principal), f"accepted after its end: {case}"


@many(9_000)
@given(CASES)
def test_a_token_is_accepted_exactly_when_every_part_of_it_is_right(case: Case) -> None:
    holds(case)


@many(2_000)
@given(CASES.map(lambda case: Case(**vars(case) | {"verify": "secret", "algorithm": "HS256"})))
def test_the_same_holds_for_tokens_of_a_shared_secret(case: Case) -> None:
    holds(case)


GOOD = mint()
HEAD = b'{"alg":"EdDSA","kid":"EdDSA"}'
SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n,\x00é"


@many(6_000)
@given(st.integers(0, len(GOOD) - 1), st.sampled_from(SIGNS), st.sampled_from(["put", "insert", "drop", "cut"]))
def test_a_good_token_changed_in_one_place_is_no_token(at: int, sign: str, how: str) -> None:
    changed = {
        "put": GOOD[:at] + sign + GOOD[at + 1 :],
        "insert": GOOD[:at] + sign + GOOD[at:],
        "drop": GOOD[:at] + GOOD[at + 1 :],
        "cut": GOOD[:at],
    }[how]
    said = verdict(verifier("public", Clock()), changed)
    assert isinstance(said, Principal) if changed == GOOD else said is Code.TOKEN_INVALID


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*claims(), "alg", "kid"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@many(3_000)
@given(st.dictionaries(st.sampled_from([*claims(), "nbf", "cnf"]), JSON, max_size=4))
def test_claims_of_any_shape_are_judged_without_an_error(changed: dict[str, Any]) -> None:
    payload = json.dumps(claims() | changed).encode()
    signed = f"{encoded(HEAD)}.{encoded(payload)}"
    said = verdict(verifier("public", Clock()), f"{signed}.{encoded(signature(signed, 'EdDSA'))}")
    assert said in (Code.TOKEN_INVALID, Code.TOKEN_EXPIRED) or isinstance(said, Principal)
    if isinstance(said, Principal):
        assert said.organisation == ACME
        assert said.subject == changed.get("sub", "user-1")


@many(3_000)
@given(
    st.text()
    | st.text(alphabet="eyJhbGciOi.-_=", max_size=60)
    | st.binary(max_size=90).map(lambda it: base64.b64encode(it).decode())
)
def test_what_is_no_token_at_all_is_refused_without_an_error(text: str) -> None:
    assert verdict(verifier("public", Clock()), text) is Code.TOKEN_INVALID
    for presented in (
        PresentedCredentials(authorization=(text,)),
        PresentedCredentials(authorization=(f"Bearer {text}",)),
        PresentedCredentials(api_token=(text,)),
    ):
        assert presentable(presented) in (None, Code.CREDENTIALS_MALFORMED, Code.CREDENTIALS_CONFLICT)


@pytest.mark.parametrize("part", [*HEADERS, *PAYLOADS, *SIGNATURES, *ENVELOPES], ids=lambda part: part.name)
def test_each_way_of_making_a_part_is_judged_alone(part: Part) -> None:
    """So that no single defect can hide behind another one."""
    for algorithm in PUBLIC:
        parts = {
            name: part if part in ways else ways[0]
            for name, ways in (
                ("header", HEADERS),
                ("payload", PAYLOADS),
                ("signed", SIGNATURES),
                ("envelope", ENVELOPES),
            )
        }
        holds(
            Case("public", algorithm, **parts, exp=60, nbf=None, iat=None, role=Role.ADMIN, community=False, kind="mcp")
        )
