"""The form of a token, judged before any key is asked: each of these would pass a lenient parser."""

import json

import pytest

from server.credentials.strict_json import strict_json
from server.identity.token_format import LENGTH_CAP, parse_token
from tests.support.token_issuer import claims, encoded, mint, raw
from tools.refusals import Code, ToolError

HEAD = b'{"alg":"ES256","typ":"JWT","kid":"ES256"}'
BODY = json.dumps(claims()).encode()


def reason(token: str) -> str | None:
    with pytest.raises(ToolError) as caught:
        parse_token(token)
    assert caught.value.code is Code.TOKEN_INVALID
    return caught.value.reason


def test_a_well_formed_token_is_taken_apart() -> None:
    token = parse_token(raw(HEAD, BODY))
    assert (token.algorithm, token.key_id, token.claims["sub"]) == ("ES256", "ES256", "user-1")
    assert "user-1" not in repr(token)


def _bits(segment: str) -> str:
    return segment[:-1] + chr(ord(segment[-1]) + 1)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "a.b.c.d",
        "..",
        f"{encoded(HEAD)}..{encoded(b'x')}",
        f"{encoded(HEAD)}.{encoded(BODY)}.",
        f"{encoded(HEAD)}==.{encoded(BODY)}.{encoded(b'x')}",
        f"{encoded(HEAD)}.{encoded(BODY)}.{encoded(b'x')}==",
        f"{encoded(HEAD)}.{encoded(BODY)}.{encoded(b'x')}\n",
        f"{encoded(HEAD)}.{encoded(BODY)}.a+/b",
        f"{encoded(HEAD)}.{encoded(BODY)}.abcde",
        f"{encoded(HEAD)}.{encoded(BODY)}.{_bits(encoded(b'x'))}",
        json.dumps({"protected": encoded(HEAD), "payload": encoded(BODY), "signature": "eA"}),
    ],
    ids=str,
)
def test_only_three_canonical_base64url_parts_are_a_token(token: str) -> None:
    assert reason(token) == "format"


@pytest.mark.parametrize(
    "payload",
    [
        BODY.decode().encode("utf-16"),
        BODY.decode().encode("utf-16-le"),
        BODY.decode().encode("utf-32"),
        b"\xef\xbb\xbf" + BODY,
        b'{"sub":"\xff"}',
        b'{"organisationId":"a","organisationId":"b"}',
        b'{"a":{"b":1,"b":2}}',
        b'{"exp":NaN}',
        b'{"exp":Infinity}',
        b'{"exp":-Infinity}',
        b'{"exp":1e999}',
        b'{"sub":"\\ud800"}',
        b'{"sub":"a\nb"}',
        b'{"a":' + b"[" * 30 + b"]" * 30 + b"}",
        b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}",
        b'{"a":' + b"9" * 5000 + b"}",
        b"[]",
        b'"text"',
        b"null",
        b"",
        b"{}{}",
        b"{'sub':1}",
        b'{"sub":1,}',
    ],
    ids=lambda payload: payload[:24].decode("latin-1"),
)
def test_claims_that_two_parsers_could_read_differently_are_refused(payload: bytes) -> None:
    token = raw(HEAD, payload) if payload else f"{encoded(HEAD)}.AA.AA"
    assert reason(token) == "format"


def test_repeated_names_in_the_header_are_refused() -> None:
    assert reason(raw(b'{"alg":"none","alg":"ES256"}', BODY)) == "format"


@pytest.mark.parametrize(
    "algorithm",
    [
        "none",
        "None",
        "NONE",
        "",
        "es256",
        "Es256",
        "ES256 ",
        "ES256K",
        "Ed448",
        "RSA-OAEP",
        "dir",
        256,
        None,
        ["ES256"],
    ],
)
def test_only_the_listed_algorithms_spelt_exactly_are_accepted(algorithm: object) -> None:
    assert reason(mint(header={"alg": algorithm})) == "algorithm"


def test_a_header_without_an_algorithm_is_refused() -> None:
    assert reason(raw(b'{"typ":"JWT"}', BODY)) == "algorithm"


@pytest.mark.parametrize(
    "member", ["crit", "b64", "jku", "jwk", "x5u", "x5c", "zip", "enc", "epk", "p2c", "p2s", "cty"]
)
@pytest.mark.parametrize("value", [None, False, [], {}, "http://127.0.0.1:1/keys"], ids=str)
def test_a_header_that_asks_for_more_than_a_signature_is_refused(member: str, value: object) -> None:
    assert reason(mint(header={member: value})) == "header"


@pytest.mark.parametrize("key_id", ["", "x" * 201, "a\nb", "\u202e", 7, None, ["a"], {}], ids=str)
def test_a_key_id_is_a_short_printable_string(key_id: object) -> None:
    assert reason(mint(header={"kid": key_id})) == "header"


@pytest.mark.parametrize("kind", ["logout+jwt", "id_token", "secevent+jwt", "", None, 1, ["JWT"]], ids=str)
def test_a_token_of_another_type_is_refused(kind: object) -> None:
    assert reason(mint(header={"typ": kind})) == "typ"


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "AT+JWT"])
def test_the_type_is_compared_without_case(kind: str) -> None:
    assert parse_token(mint(header={"typ": kind})).algorithm == "ES256"


def test_the_types_accepted_are_the_operators_choice() -> None:
    strict = frozenset({"at+jwt"})
    assert parse_token(mint(header={"typ": "at+jwt"}), types=strict).algorithm == "ES256"
    for token in (mint(), raw(b'{"alg":"ES256"}', BODY)):
        with pytest.raises(ToolError):
            parse_token(token, types=strict)


def test_a_token_longer_than_any_real_one_is_refused_unread() -> None:
    assert reason("a" * (LENGTH_CAP + 1)) == "too_long"


def test_brackets_inside_strings_are_not_nesting() -> None:
    assert strict_json(b'{"a":"' + b"[" * 100 + b'\\"["}') == {"a": "[" * 100 + '"['}
