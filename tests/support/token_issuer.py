"""A token mint with a key of every algorithm, and documents on a web that answers as told."""

import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import anyio
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from server.credentials.parsing import Credentials
from server.credentials.secret import Secret
from server.http.port import HttpError, HttpResponse
from server.identity.principal import Principal
from server.identity.revocations import SharedRevocations
from server.state.in_process import InProcess
from server.state.store import StoreDown
from server.tenants.tenant import Tenant

ACME = "a" * 23 + "1"
GLOBEX = "b" * 23 + "2"
COMMUNITY = "c" * 24
NOW = 1_800_000_000.0
SECRET = "a secret of at least sixty-four bytes, so that it fits every hash of HMAC"
ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
HOME = Tenant(ACME, "https://acme.nudj.cx/api/v2/admin", "acme")


def bearing(token_id: str | None, organisation: str = ACME) -> Principal:
    """A caller whose token has this id."""
    return Principal("user-1", organisation, (), int(NOW) + 3600, token_id, "bearer", "0" * 64)


def unrevoked() -> SharedRevocations:
    """Where nothing was revoked and tokens may do without an id."""
    return SharedRevocations(InProcess(), StoreDown, needs_ids=False)


@cache
def private_key(algorithm: str, of: str = "issuer") -> Any:
    """A key for an algorithm; `of` tells owners apart."""
    curves = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
    if algorithm in curves:
        return ec.generate_private_key(curves[algorithm])
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm[:2] == "HS":
        return SECRET.encode() if of == "issuer" else SECRET[::-1].encode()
    return rsa_key(of)


@cache
def rsa_key(of: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One RSA key serves all six algorithms: making one is slow."""
    return rsa.generate_private_key(65537, bits)


def jwk(algorithm: str, key_id: str | None = None, *, of: str = "issuer", **more: Any) -> dict[str, Any]:
    """The public JWK, bound to the algorithm and named after it."""
    implementation = jwt.algorithms.get_default_algorithms()[algorithm]
    key = private_key(algorithm, of)
    public = key if algorithm[:2] == "HS" else key.public_key()
    made = dict(implementation.to_jwk(public, as_dict=True)) | {"alg": algorithm, "kid": key_id or algorithm}
    made.pop("key_ops", None)
    return made | more


def document(*keys: Mapping[str, Any]) -> bytes:
    """A JWK Set."""
    return json.dumps({"keys": keys}).encode()


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of an MCP token of acme's admin; None takes one away."""
    made = {
        "sub": "user-1",
        "organisationId": ACME,
        "roles": [f"orgId-{ACME}:role-admin"],
        "type": "mcp",
        "jti": "token-1",
        "iss": "https://auth.nudj.cx",
        "aud": "nudj",
        "iat": int(NOW) - 10,
        "exp": int(NOW) + 3600,
    } | changed
    return {name: value for name, value in made.items() if value is not None}


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw(header: bytes, payload: bytes, algorithm: str = "ES256", *, of: str = "issuer") -> str:
    """A token of exactly these bytes, with a right signature."""
    signed = f"{encoded(header)}.{encoded(payload)}"
    return f"{signed}.{encoded(signature(signed, algorithm, of))}"


def signature(signed: str, algorithm: str, of: str = "issuer") -> bytes:
    """The signature over what is signed."""
    key = private_key(algorithm, of)
    if algorithm[:2] == "HS":
        return hmac.digest(key, signed.encode(), getattr(hashlib, f"sha{algorithm[2:]}"))
    return jwt.algorithms.get_default_algorithms()[algorithm].sign(signed.encode(), key)


def mint(algorithm: str = "ES256", *, of: str = "issuer", header: Mapping[str, Any] = {}, **changed: Any) -> str:
    """A token; `header` adds to the usual one."""
    head = {"alg": algorithm, "typ": "JWT", "kid": algorithm, **header}
    return raw(json.dumps(head).encode(), json.dumps(claims(**changed)).encode(), algorithm, of=of)


def bearer(token: str) -> Credentials:
    """As presented in Authorization."""
    return Credentials("bearer", Secret(token))


@dataclass
class Clock:
    """Time that moves when told."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class Web:
    """A `Send` with one answer per URL; what is not there refuses the connection."""

    answers: dict[str, HttpResponse] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def put(self, url: str, body: bytes, status: int = 200, **headers: str) -> None:
        """Answer so from now on."""
        self.answers[url] = HttpResponse(status, {name.replace("_", "-"): said for name, said in headers.items()}, body)

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = {},
        body: bytes | None = None,
        timeout_s: float = 10.0,
        cap: int = 8_000_000,
    ) -> HttpResponse:
        self.asked.append((url, headers))
        if url not in self.answers:
            raise HttpError("refused", sent=False)
        return self.answers[url]


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again for up to five seconds."""
    for _ in range(500):
        if await holds():
            return
        await anyio.sleep(0.01)
    raise AssertionError("it never came to hold")
