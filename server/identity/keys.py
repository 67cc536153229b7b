"""Keys that may vouch for a token: each bound to exactly one algorithm, weak or misused ones left out."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import jwt

from server.credentials.secret import Secret
from server.credentials.strict_json import strict_json
from server.identity.token_format import UnverifiedToken

_FITTING: Mapping[tuple[str, str | None], tuple[str, ...]] = {
    ("RSA", None): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
    ("oct", None): ("HS256", "HS384", "HS512"),
}
_SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
_RSA_BITS = range(2048, 8193)
_KEYS_CAP = 100


@dataclass(frozen=True, slots=True)
class Key:
    """One key and the one algorithm it is for."""

    id: str | None
    algorithm: str
    material: jwt.PyJWK = field(repr=False)

    def verifies(self, token: UnverifiedToken) -> bool:
        """Whether this key made the token's signature."""
        verifier = jwt.PyJWS(algorithms=[self.algorithm], options={"enforce_minimum_key_length": True})
        try:
            verifier.decode(token.compact, self.material, algorithms=[self.algorithm])
        except jwt.PyJWTError:
            return False
        return True


@dataclass(frozen=True, slots=True, eq=False)
class KeySet:
    """The keys in force, and why others of the same document are not."""

    keys: tuple[Key, ...]
    faults: tuple[str, ...] = ()

    def knows(self, key_id: str | None) -> bool:
        """Whether a token that names this key can be judged without asking for newer keys."""
        return any(key.id == key_id or key.id is None for key in self.keys) or (key_id is None and bool(self.keys))

    def find(self, token: UnverifiedToken) -> Key | None:
        """The key to judge a token by: the one it names, or the only one of its algorithm when one side is nameless."""
        named = [key for key in self.keys if token.key_id is not None and key.id == token.key_id]
        nameless = [key for key in self.keys if token.key_id is None or key.id is None]
        fitting = [key for key in named or nameless if key.algorithm == token.algorithm]
        return fitting[0] if len(fitting) == 1 else None


class Keys(Protocol):
    """Where keys come from."""

    @property
    def current(self) -> KeySet | None:
        """The keys in force; None when there are none, or none fresh enough to trust."""
        ...

    async def having(self, key_id: str | None) -> KeySet:
        """The keys in force, newer ones asked for if this id is not among them and the budget allows.

        Raises:
            ToolError: verification_unavailable, when the id cannot be judged for want of an answer.
        """
        ...

    async def refresh(self) -> bool:
        """Ask for the keys now; whether an answer came."""
        ...

    async def run(self) -> None:
        """Keep them fresh until cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class FixedKeys:
    """Keys that came with the configuration and change only with it."""

    current: KeySet

    async def having(self, _key_id: str | None) -> KeySet:
        """The keys."""
        return self.current

    async def refresh(self) -> bool:
        """Nothing to ask."""
        return True

    async def run(self) -> None:
        """Nothing to keep fresh."""


def parse_public_keys(document: bytes) -> KeySet:
    """Read a JWK Set (RFC 7517 section 5) that anybody may see; a bad key is left out and named in `faults`.

    Raises:
        ValueError: not a JWK Set.
    """
    members = _read_members(document)
    built = [_attempt(number, member, secrets=False) for number, member in enumerate(members)]
    return _build_set(built)


def parse_configured_keys(document: bytes) -> KeySet:
    """Read an operator's own JWK Set, which may hold HMAC secrets instead of public keys.

    Raises:
        ValueError: not a JWK Set, a key that cannot be used, or secrets and public keys together.
    """
    members = _read_members(document)
    kinds = {isinstance(member, dict) and member.get("kty") == "oct" for member in members}
    if len(kinds) > 1:
        raise ValueError("secrets and public keys in one set: keep one kind")
    found = _build_set([_attempt(number, member, secrets=True) for number, member in enumerate(members)])
    if found.faults or not found.keys:
        raise ValueError("; ".join(found.faults) or "no keys in the set")
    return found


def build_secret_key(secret: Secret, algorithm: str = "HS256") -> KeySet:
    """One HMAC secret as a key set.

    Raises:
        ValueError: shorter than the hash (RFC 7518 section 3.2), or not an HMAC algorithm.
    """
    encoded = base64.urlsafe_b64encode(secret.reveal().encode()).rstrip(b"=").decode()
    return KeySet((_read_key({"kty": "oct", "alg": algorithm, "k": encoded}, secrets=True),))


def _read_members(document: bytes) -> list[Any]:
    value = strict_json(document)
    members = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(members, list):
        raise ValueError("not a JWK Set: no list named keys")
    if len(members) > _KEYS_CAP:
        raise ValueError(f"more than {_KEYS_CAP} keys")
    return members


def _build_set(built: list[Key | str]) -> KeySet:
    keys: dict[tuple[str | None, str, object], Key] = {}
    for key in built:
        if isinstance(key, Key):
            keys.setdefault((key.id, key.algorithm, None if key.id is not None else key), key)
    return KeySet(tuple(keys.values()), tuple(fault for fault in built if isinstance(fault, str)))


def _attempt(number: int, member: Any, *, secrets: bool) -> Key | str:
    try:
        return _read_key(member, secrets=secrets)
    except ValueError as fault:
        return f"key {number}: {fault}"


def _read_key(jwk: Any, *, secrets: bool) -> Key:
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid", ""), str):
        raise ValueError("not a JWK")
    _check_purpose(jwk)
    if jwk.get("kty") == "oct" and not secrets:
        raise ValueError("a secret in a public set")
    if jwk.get("kty") != "oct" and "d" in jwk:
        raise ValueError("a private key where only the public part belongs")
    algorithm = _read_algorithm(jwk)
    material, prepared = _read_material(jwk, algorithm)
    if algorithm in _SECRET_BYTES and len(prepared) < _SECRET_BYTES[algorithm]:
        raise ValueError(f"a secret shorter than {_SECRET_BYTES[algorithm]} bytes")
    if jwk["kty"] == "RSA" and prepared.key_size not in _RSA_BITS:
        raise ValueError(f"an RSA key outside {_RSA_BITS.start}-{_RSA_BITS.stop - 1} bits")
    return Key(jwk.get("kid"), algorithm, material)


def _read_material(jwk: dict[str, Any], algorithm: str) -> tuple[jwt.PyJWK, Any]:
    try:
        material = jwt.PyJWK.from_dict(jwk, algorithm=algorithm)
        return material, material.Algorithm.prepare_key(material.key)
    except (jwt.PyJWTError, ValueError, TypeError):
        # PyJWT puts the whole key into some of its messages, so none of them is passed on.
        raise ValueError("not readable as a key of its kind") from None


def _check_purpose(jwk: Mapping[str, Any]) -> None:
    if jwk.get("use", "sig") != "sig":
        raise ValueError("not for signatures (use)")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("not for verifying (key_ops)")


def _read_algorithm(jwk: Mapping[str, Any]) -> str:
    family, curve = jwk.get("kty"), jwk.get("crv")
    fitting = _FITTING.get((family, curve), ()) if isinstance(family, str) and isinstance(curve, str | None) else ()
    if not fitting:
        raise ValueError("a kind of key that is not supported")
    algorithm = jwk.get("alg", fitting[0])
    if algorithm not in fitting:
        raise ValueError("an algorithm that does not fit the key")
    return str(algorithm)
