"""Which keys may vouch for a token, each for one algorithm only."""

import base64
import json

import pytest

from server.credentials.secret import Secret
from server.identity.keys import build_secret_key, parse_configured_keys, parse_public_keys
from server.identity.token_format import parse_token
from tests.support.token_issuer import ASYMMETRIC, SECRET, document, encoded, jwk, mint, rsa_key

HMAC = ("HS256", "HS384", "HS512")


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_every_public_algorithm_is_verified(algorithm: str) -> None:
    keys = parse_public_keys(document(*(jwk(one) for one in ASYMMETRIC)))
    token = parse_token(mint(algorithm))
    key = keys.find(token)
    assert key is not None
    assert key.algorithm == algorithm
    assert key.verifies(token)
    assert not key.verifies(parse_token(mint(algorithm, of="stranger")))


@pytest.mark.parametrize("algorithm", HMAC)
def test_every_secret_algorithm_is_verified(algorithm: str) -> None:
    keys = parse_configured_keys(document(*(jwk(one) for one in HMAC)))
    token = parse_token(mint(algorithm))
    key = keys.find(token)
    assert key is not None
    assert key.verifies(token)
    assert not key.verifies(parse_token(mint(algorithm, of="stranger")))


@pytest.mark.parametrize("named", ASYMMETRIC)
@pytest.mark.parametrize("claimed", [*ASYMMETRIC, *HMAC])
def test_a_key_is_never_used_with_another_algorithm(named: str, claimed: str) -> None:
    keys = parse_public_keys(document(*(jwk(one) for one in ASYMMETRIC)))
    found = keys.find(parse_token(mint(claimed, header={"kid": named})))
    assert (found is not None) == (named == claimed)


def test_a_public_key_used_as_a_secret_verifies_nothing() -> None:
    keys = parse_public_keys(document(jwk("RS256", key_id="k")))
    for material in (json.dumps(jwk("RS256")), jwk("RS256")["n"]):
        token = mint("HS256", header={"kid": "k"})
        signed = token.rpartition(".")[0]
        forged = f"{signed}.{encoded(base64.b64encode(material.encode())[:32])}"
        assert keys.find(parse_token(forged)) is None


def test_a_key_without_an_algorithm_gets_the_one_of_its_kind() -> None:
    rsa, ec = jwk("RS256"), jwk("ES384")
    del rsa["alg"], ec["alg"]
    assert [key.algorithm for key in parse_public_keys(document(rsa, ec)).keys] == ["RS256", "ES384"]


def test_a_token_without_a_key_id_needs_exactly_one_fitting_key() -> None:
    token = parse_token(mint(header={"kid": "x"}))
    nameless = type(token)(token.compact, token.algorithm, None, token.claims)
    assert parse_public_keys(document(jwk("ES256"), jwk("RS256"))).find(nameless) is not None
    assert parse_public_keys(document(jwk("ES256"), jwk("ES256", key_id="b", of="other"))).find(nameless) is None


def test_an_unknown_key_id_finds_no_key() -> None:
    keys = parse_public_keys(document(jwk("ES256")))
    token = parse_token(mint(header={"kid": "other"}))
    assert not keys.knows("other")
    assert keys.find(token) is None


def weak() -> dict[str, object]:
    numbers = rsa_key("weak", 1024).public_key().public_numbers()
    return {"kty": "RSA", "kid": "weak", "n": encoded(numbers.n.to_bytes(128)), "e": "AQAB"}


BAD = {
    "use enc": jwk("ES256", use="enc"),
    "key_ops sign": jwk("ES256", key_ops=["sign"]),
    "key_ops text": jwk("ES256", key_ops="verify"),
    "foreign algorithm": jwk("ES256", alg="ES384"),
    "algorithm none": jwk("RS256", alg="none"),
    "algorithm of a secret": jwk("RS256", alg="HS256"),
    "algorithm as list": jwk("RS256", alg=["RS256"]),
    "curve secp256k1": jwk("ES256", crv="secp256k1"),
    "curve as list": jwk("ES256", crv=["P-256"]),
    "point off the curve": jwk("ES256", x=encoded(b"\x01" * 32)),
    "point missing": {"kty": "EC", "crv": "P-256", "kid": "x"},
    "ed448": {"kty": "OKP", "crv": "Ed448", "x": encoded(b"\x01" * 57)},
    "private": jwk("ES256", d=encoded(b"\x01" * 32)),
    "secret": jwk("HS256"),
    "weak rsa": weak(),
    "rsa exponent missing": {"kty": "RSA", "n": jwk("RS256")["n"]},
    "rsa modulus a number": {"kty": "RSA", "n": 7, "e": "AQAB"},
    "kid a number": jwk("ES256", kid=7),
    "kty missing": {"kid": "x"},
    "kty a list": {"kty": ["RSA"]},
    "not an object": "key",
    "null": None,
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_key_is_left_out_and_does_not_poison_the_rest(name: str) -> None:
    keys = parse_public_keys(json.dumps({"keys": [BAD[name], jwk("EdDSA")]}).encode())
    assert [key.algorithm for key in keys.keys] == ["EdDSA"]
    assert len(keys.faults) == 1


@pytest.mark.parametrize("name", sorted(set(BAD) - {"secret"}))
def test_an_operators_own_key_file_may_have_no_bad_key(name: str) -> None:
    with pytest.raises(ValueError, match="key"):
        parse_configured_keys(json.dumps({"keys": [BAD[name], jwk("EdDSA")]}).encode())


def test_what_is_said_of_a_bad_key_does_not_show_the_key() -> None:
    private = jwk("ES256", d="c2VjcmV0LXBhcnQ") | {"x": "bm90LWEtcG9pbnQ"}
    keys = parse_public_keys(document(private, {"kty": "RSA", "n": "bW9kdWx1cw", "e": {}}))
    assert not any(part in str(keys.faults) for part in ("c2VjcmV0", "bm90LWE", "bW9kdWx1cw"))


def test_secrets_and_public_keys_do_not_mix() -> None:
    with pytest.raises(ValueError, match="one kind"):
        parse_configured_keys(document(jwk("HS256"), jwk("RS256")))


@pytest.mark.parametrize(("algorithm", "size"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_is_at_least_as_long_as_its_hash(algorithm: str, size: int) -> None:
    assert build_secret_key(Secret("x" * size), algorithm).keys[0].algorithm == algorithm
    with pytest.raises(ValueError, match="shorter"):
        build_secret_key(Secret("x" * (size - 1)), algorithm)


def test_a_configured_secret_verifies_tokens_whatever_key_they_name() -> None:
    keys = build_secret_key(Secret(SECRET))
    token = parse_token(mint("HS256"))
    key = keys.find(token)
    assert key is not None
    assert key.verifies(token)
    assert SECRET not in repr(keys)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys":{}}',
        '{"keys":[],"keys":[]}',
        "<html>",
        "\ufeff{}",
        '{"keys":' + "[" * 99 + "]" * 99 + "}",
    ],
)
def test_what_is_not_a_key_set_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_public_keys(text.encode())


def test_a_key_set_of_absurd_size_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 100"):
        parse_public_keys(document(*({"kty": "oct"} for _ in range(101))))


def test_a_key_listed_twice_counts_once() -> None:
    assert len(parse_public_keys(document(jwk("ES256"), jwk("ES256"))).keys) == 1


def test_a_pem_file_is_no_secret() -> None:
    pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----"
    with pytest.raises(ValueError, match="not readable"):
        build_secret_key(Secret(pem))
