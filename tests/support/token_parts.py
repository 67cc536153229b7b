"""Every way the property test knows to make a part of a token, right or wrong."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.token_issuer import ACME, GLOBEX, jwk, private_key, signature

PUBLIC = ("ES256", "EdDSA", "RS256")
UNLISTED: tuple[object, ...] = ("none", "NONE", "es256", "rs256", "Ed25519", "", None, [])
STRANGE_IDS: tuple[object, ...] = (None, 7, [], "", "a\x00", "../../dev/null", "' OR 1=1", "k" * 201)
STRANGE_AUDIENCES: tuple[object, ...] = ("", "nudj2", [], ["nud", "j"], {"nudj": 1})


@dataclass(frozen=True)
class Part:
    """One way of making one part of a token, and whether a token made so may still be accepted."""

    name: str
    make: Callable[..., Any]
    good: bool = False


def _dumped(value: object) -> bytes:
    return json.dumps(value).encode()


def _with(**more: Any) -> Callable[[dict[str, Any]], bytes]:
    return lambda made: _dumped(made | more)


def _without(name: str) -> Callable[[dict[str, Any]], bytes]:
    return lambda made: _dumped({one: value for one, value in made.items() if one != name})


def _twice(name: str, value: Any, *, first: bool) -> Callable[[dict[str, Any]], bytes]:
    def make(made: dict[str, Any]) -> bytes:
        extra, whole = f"{json.dumps(name)}: {json.dumps(value)}", json.dumps(made)[1:-1]
        return f"{{{extra}, {whole}}}".encode() if first else f"{{{whole}, {extra}}}".encode()

    return make


def _text(change: Callable[[str], bytes]) -> Callable[[dict[str, Any]], bytes]:
    return lambda made: change(json.dumps(made))


COMMON = (
    Part("as it is", _dumped, good=True),
    Part("spaced", lambda made: json.dumps(made, indent=3).encode() + b"\n", good=True),
    Part("backwards", lambda made: _dumped(dict(reversed(made.items()))), good=True),
    Part("with a stranger's member", _with(zzz={"a": [1, None, "é"]}), good=True),
    Part("utf-16", _text(lambda text: text.encode("utf-16"))),
    Part("utf-16 big", _text(lambda text: text.encode("utf-16-be"))),
    Part("utf-32", _text(lambda text: text.encode("utf-32-le"))),
    Part("byte order mark", _text(lambda text: b"\xef\xbb\xbf" + text.encode())),
    Part("latin-1", _text(lambda text: text[:-1].encode() + b', "x": "\xe9"}')),
    Part("not a number", _text(lambda text: text[:-1].encode() + b', "x": NaN}')),
    Part("endless number", _text(lambda text: text[:-1].encode() + b', "x": 1e400}')),
    Part("huge number", _text(lambda text: text[:-1].encode() + b', "x": ' + b"9" * 4400 + b"}")),
    Part("lone surrogate", _text(lambda text: text[:-1].encode() + b', "x": "\\udfff"}')),
    Part("deep", _text(lambda text: text[:-1].encode() + b', "x": ' + b"[" * 40 + b"]" * 40 + b"}")),
    Part("in an array", _text(lambda text: f"[{text}]".encode())),
    Part("a string", _text(lambda text: json.dumps(text).encode())),
    Part("two objects", _text(lambda text: (text + text).encode())),
    Part("cut off", _text(lambda text: text[:-1].encode())),
    Part("with a comment", _text(lambda text: (text + "//").encode())),
)
HEADERS = (
    *COMMON,
    Part("access token type", _with(typ="at+jwt"), good=True),
    Part("type in capitals", _with(typ="jWt"), good=True),
    Part("no type", _without("typ"), good=True),
    Part("escaped name", _text(lambda text: text.replace('"alg"', '"\\u0061lg"').encode()), good=True),
    Part("thumbprint", _with(x5t="abc"), good=True),
    *(Part(f"type {kind!r}", _with(typ=kind)) for kind in ("logout+jwt", "JWS", "", None, 0)),
    *(Part(f"algorithm {one!r}", _with(alg=one)) for one in UNLISTED),
    Part("no algorithm", _without("alg")),
    *(Part(f"other algorithm {one}", _with(alg=one)) for one in ("ES384", "PS256", "RS512", "HS384", "HS512")),
    Part("algorithm twice, none first", _twice("alg", "none", first=True)),
    Part("algorithm twice, none last", _twice("alg", "none", first=False)),
    Part("key id twice", _twice("kid", "ES256", first=False)),
    *(Part(f"key id {one!r}", _with(kid=one)) for one in STRANGE_IDS),
    *(
        Part(f"asks for {one}", _with(**{one: True}))
        for one in ("crit", "b64", "jku", "x5u", "x5c", "zip", "enc", "p2c", "cty")
    ),
    Part("own key", lambda made: _dumped(made | {"jwk": jwk("ES256", of="stranger")})),
    Part("unencoded", _with(b64=False, crit=["b64"])),
)
# A configured secret has no id, so there whatever id a token names is of no account.
NAMED_IDS = frozenset({"key id '../../dev/null'", 'key id "\' OR 1=1"'})
PAYLOADS = (
    *COMMON,
    Part("escaped name", _text(lambda text: text.replace('"sub"', '"\\u0073ub"').encode()), good=True),
    Part("organisation in capitals", _with(organisationId=ACME.upper()), good=True),
    Part("two audiences", _with(aud=["other", "nudj"]), good=True),
    Part("look-alike names", _with(OrganisationId=GLOBEX, organisationid=GLOBEX, Exp=1), good=True),
    Part("a grant elsewhere too", _with(roles=[f"orgId-{GLOBEX}:role-admin", f"orgId-{ACME}:role-admin"]), good=True),
    Part("organisation twice, first", _twice("organisationId", GLOBEX, first=True)),
    Part("organisation twice, last", _twice("organisationId", GLOBEX, first=False)),
    Part("expiry twice", _twice("exp", 9_999_999_999, first=False)),
    *(Part(f"without {name}", _without(name)) for name in ("sub", "organisationId", "exp", "iss", "aud")),
    *(
        Part(f"{name} null", _with(**{name: None}))
        for name in ("sub", "organisationId", "exp", "roles", "nbf", "jti", "type")
    ),
    *(
        Part(f"{name} a list", _with(**{name: []}))
        for name in ("sub", "organisationId", "exp", "iat", "iss", "jti", "type")
    ),
    *(Part(f"{name} a text", _with(**{name: "1"})) for name in ("exp", "nbf", "iat", "roles")),
    *(Part(f"{name} true", _with(**{name: True})) for name in ("sub", "organisationId", "exp", "nbf", "iat", "jti")),
    *(
        Part(f"organisation {one!r}", _with(organisationId=one))
        for one in ("", "*", ACME[:-1], ACME + "0", ACME + "\n")
    ),
    *(
        Part(f"issuer {one!r}", _with(iss=one))
        for one in ("", "https://auth.nudj.cx.evil.example", "HTTPS://auth.nudj.cx")
    ),
    *(Part(f"audience {one!r}", _with(aud=one)) for one in STRANGE_AUDIENCES),
    *(Part(f"kind {one!r}", _with(type=one)) for one in ("", "refresh", "id", "MCP")),
    *(
        Part(f"role {one!r}", _with(roles=[one]))
        for one in ("", "admin", "orgId-*:role-admin", f"orgId-{ACME}:role-Admin")
    ),
    Part("bound to a key", _with(cnf={"jkt": "x"})),
    Part("control characters", _with(sub="a\r\nb")),
)


def _genuine(signed: str, algorithm: str) -> bytes:
    return signature(signed, algorithm)


def _as_secret(material: Callable[[str], bytes]) -> Callable[[str, str], bytes]:
    return lambda signed, algorithm: hmac.digest(material(algorithm), signed.encode(), hashlib.sha256)


def _pem(algorithm: str) -> bytes:
    if algorithm == "HS256":
        return b"secret"
    made: bytes = private_key(algorithm).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return made


def _der(signed: str, algorithm: str) -> bytes:
    raw = signature(signed, "ES256")
    return encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))


SIGNATURES = (
    Part("genuine", _genuine, good=True),
    Part("a stranger's", lambda signed, algorithm: signature(signed, algorithm, "stranger")),
    Part("of something else", lambda signed, algorithm: signature(signed + "A", algorithm)),
    Part("by another key of the issuer", lambda signed, algorithm: signature(signed, "HS512")),
    Part("the public key as a secret", _as_secret(_pem)),
    Part(
        "the JWK as a secret", _as_secret(lambda algorithm: _dumped(jwk(algorithm if algorithm in PUBLIC else "ES256")))
    ),
    Part("an empty secret", _as_secret(lambda algorithm: b"")),
    Part("cut short", lambda signed, algorithm: signature(signed, algorithm)[:-1]),
    Part("one byte longer", lambda signed, algorithm: signature(signed, algorithm) + b"\x00"),
    Part("zeros", lambda signed, algorithm: bytes(64)),
    Part("DER", _der),
)
ENVELOPES = (
    Part("compact", lambda token: token, good=True),
    Part("padded", lambda token: token + "="),
    Part("padded twice", lambda token: token + "=="),
    Part("padded header", lambda token: token.replace(".", "=.", 1)),
    Part("line end", lambda token: token + "\n"),
    Part("space", lambda token: " " + token),
    Part("fourth part", lambda token: token + ".AAAA"),
    Part("five parts", lambda token: token + ".AAAA.AAAA"),
    Part("no signature", lambda token: token.rpartition(".")[0] + "."),
    Part("two parts", lambda token: token.rpartition(".")[0]),
    Part("detached", lambda token: ".".join((token.split(".")[0], "", token.split(".")[2]))),
    Part("other alphabet", lambda token: token[:-4] + "+/+/"),
    Part("full width", lambda token: token[:-1] + chr(ord(token[-1]) + 0xFEE0)),
    Part("loose bits", lambda token: token[:-1] + _looser(token[-1], token)),
    Part(
        "JSON",
        lambda token: json.dumps(dict(zip(("protected", "payload", "signature"), token.split("."), strict=False))),
    ),
    Part("escaped", lambda token: token.replace(".", "%2e")),
    Part("too long", lambda token: token + "A" * 9000),
)


def _looser(last: str, token: str) -> str:
    """The last character with its unused bits set; where there are none, something else."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(last) ^ 1] if len(token.rpartition(".")[2]) % 4 else "="
