"""What may stand in the two credential headers, and what is said of everything else."""

import pytest

from server.credentials.parsing import Credentials, PresentedCredentials, find_credential
from server.credentials.secret import Secret
from tools.refusals import Code, ToolError

JWT = "eyJh.eyJz.c2ln"
OTHER = "eyJh.eyJz.b3Ro"


def refusal(presented: PresentedCredentials) -> ToolError:
    with pytest.raises(ToolError) as caught:
        find_credential(presented)
    return caught.value


@pytest.mark.parametrize("value", [f"Bearer {JWT}", f"bearer {JWT}", f"BEARER {JWT}"])
def test_a_bearer_token_is_taken_from_authorization(value: str) -> None:
    assert find_credential(PresentedCredentials(authorization=(value,))) == Credentials("bearer", Secret(JWT))


@pytest.mark.parametrize("value", [JWT, f"Bearer {JWT}"])
def test_an_api_token_may_carry_the_bearer_prefix(value: str) -> None:
    assert find_credential(PresentedCredentials(api_token=(value,))) == Credentials("api_token", Secret(JWT))


def test_the_same_token_in_both_headers_is_one_credential() -> None:
    assert find_credential(PresentedCredentials(authorization=(f"Bearer {JWT}",), api_token=(JWT,))).kind == "bearer"


def test_no_header_is_a_missing_credential() -> None:
    assert refusal(PresentedCredentials()).code is Code.CREDENTIALS_MISSING


@pytest.mark.parametrize(
    "presented",
    [
        PresentedCredentials(authorization=(f"Bearer {JWT}",), api_token=(OTHER,)),
        PresentedCredentials(authorization=(f"Bearer {JWT}", f"Bearer {JWT}")),
        PresentedCredentials(api_token=(JWT, OTHER)),
        PresentedCredentials(authorization=(f"Bearer {JWT}, Bearer {OTHER}",)),
        PresentedCredentials(api_token=(f"{JWT},{JWT}",)),
    ],
)
def test_two_credentials_are_a_conflict(presented: PresentedCredentials) -> None:
    assert refusal(presented).code is Code.CREDENTIALS_CONFLICT


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "empty_after_split"),
        ("Bearer", "empty_after_split"),
        ("Bearer ", "empty_after_split"),
        ("   ", "empty_after_split"),
        ("Bearer ${NUDJ_MCP_TOKEN}", "unexpanded_variable"),
        ("${AUTH_HEADER}", "unexpanded_variable"),
        (f"Bearer  {JWT}", "whitespace"),
        (f"Bearer {JWT} ", "whitespace"),
        (f"Bearer {JWT}\n", "whitespace"),
        (f"Bearer {JWT[:5]}\t{JWT[5:]}", "whitespace"),
        (f"Bearer {JWT}\u00a0", "whitespace"),
        (f"Bearer \u200b{JWT}", "whitespace"),
        (f"Bearer \ufeff{JWT}", "whitespace"),
        (f"Bearer {JWT}\x00", "whitespace"),
        (f"Bearer {JWT}\u2028", "whitespace"),
        (JWT, "not_bearer"),
        (f"Basic:{JWT}", "not_bearer"),
        ("Basic YWRhOnNlY3JldA==", "not_bearer"),
        (f"Token {JWT}", "not_bearer"),
        (f" Bearer {JWT}", "whitespace"),
        ("Bearer <token>", "not_a_jwt"),
        ("Bearer sk_live_123", "not_a_jwt"),
        ("Bearer a.b", "not_a_jwt"),
        ("Bearer a.b.c.d.e", "not_a_jwt"),
        ("Bearer a..c", "not_a_jwt"),
        ("Bearer eyJh.eyJz.c2ln=", "not_a_jwt"),
        ("Bearer eyJh.eyJé.c2ln", "not_a_jwt"),
        ("Bearer \u0435yJh.eyJz.c2ln", "not_a_jwt"),
        ("Bearer " + "a" * 9000, "too_long"),
    ],
)
def test_a_header_that_cannot_be_a_token_names_the_slip(value: str, reason: str) -> None:
    refused = refusal(PresentedCredentials(authorization=(value,)))
    assert (refused.code, refused.reason) == (Code.CREDENTIALS_MALFORMED, reason)


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "${X}", "a.b", f" {JWT}"])
def test_the_api_token_header_is_judged_alike(value: str) -> None:
    assert refusal(PresentedCredentials(api_token=(value,))).code is Code.CREDENTIALS_MALFORMED


def test_a_broken_header_is_refused_even_beside_a_good_one() -> None:
    assert refusal(PresentedCredentials(authorization=("Bearer",), api_token=(JWT,))).code is Code.CREDENTIALS_MALFORMED


def test_no_refusal_and_no_repr_repeats_a_token() -> None:
    secret = "abcdef.ghijkl.mnopqr"
    presented = PresentedCredentials(authorization=(f"Bearer {secret} ",), api_token=(secret,))
    said = (
        f"{refusal(presented).error('r')} {presented!r} {find_credential(PresentedCredentials(api_token=(secret,)))!r}"
    )
    assert not any(part in said for part in secret.split("."))
