"""The auth service's tokens: minted, verified on every request, listed and revoked."""

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, cast

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from server.sandbox.faults import Fault
from server.sandbox.roles import write_grant
from server.sandbox.store import EntityStore

Kind = Literal["mcp", "session", "api_token", "oauth"]
_ALGORITHM = "ES256"
_USED_EVERY_S = 30
"""How exact "last used" is; more exact would cost a write per request."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A token as a list shows it; the token itself is never kept. Times are seconds since the epoch."""

    id: str
    organisation: str
    subject: str
    kind: Kind
    name: str
    role: str
    community: str | None
    created: int
    expires: int
    used: int | None
    revoked: bool


@dataclass(frozen=True, slots=True)
class Order:
    """What to mint: for whom, with which role, for `ttl_s` seconds (below zero: expired already).

    Parameters:
        session: what ends the token with it: a browser's session, or a grant of the authorization server.
        claims: what it says besides, or instead.
        typ: the header of that name; None leaves PyJWT's.
    """

    organisation: str
    subject: str
    role: str = "viewer"
    community: str | None = None
    kind: Kind = "mcp"
    ttl_s: int = 3600
    token_id: str | None = None
    name: str = ""
    session: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    typ: str | None = None


class Tokens:
    """One signing key, and a row for each token it ever signed."""

    def __init__(self, store: EntityStore, *, issuer: str, audience: str) -> None:
        self._store = store
        self._issuer = issuer
        self._audience = audience
        self._key = _load_key(store)

    @cached_property
    def verify_key(self) -> str:
        """The public key, PEM."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @cached_property
    def jwks(self) -> dict[str, Any]:
        """The key set to publish."""
        public = jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self.key_id, "alg": _ALGORITHM, "use": "sig"}]}

    @cached_property
    def key_id(self) -> str:
        """Name of the key: the first 16 hex digits of its SHA-256."""
        return hashlib.sha256(self.verify_key.encode()).hexdigest()[:16]

    def mint(self, order: Order) -> str:
        """Sign a token and remember that it exists."""
        now = int(time.time())
        token_id = order.token_id or secrets.token_hex(12)
        row = (token_id, order.organisation, order.subject, order.kind, order.name, order.role, order.community)
        self._store.sql.execute("DELETE FROM token WHERE kind IN ('session', 'oauth') AND expires < ?", (now,))
        self._store.sql.execute(
            "INSERT INTO token (id, organisation, subject, kind, name, role, community, created, expires, session) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET expires = excluded.expires",
            (*row, now, now + order.ttl_s, order.session),
        )
        return self._sign(self._key, self._claims(order, token_id, now), order.typ)

    def forge(self, order: Order) -> str:
        """What an attacker would present: all claims and the key id right, signed by a key of his own."""
        return self._sign(
            ec.generate_private_key(ec.SECP256R1()), self._claims(order, secrets.token_hex(12), int(time.time()))
        )

    def verify(self, token: str) -> dict[str, Any]:
        """Claims of a token for the Admin API that is genuine and alive.

        Raises:
            Fault: 401.
        """
        return self.read(token, self._audience)

    def read(self, token: str, audience: str | None) -> dict[str, Any]:
        """Claims of a token of ours that is genuine and alive; with None, whoever it is for is the caller's to judge.

        Raises:
            Fault: 401.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=[_ALGORITHM],
                audience=audience,
                issuer=self._issuer,
                options={"require": ["exp", "iat", "sub", "jti", "iss", "aud"], "verify_aud": audience is not None},
            )
        except jwt.ExpiredSignatureError:
            raise Fault(401, "You must be logged in: the token has expired.") from None
        except jwt.InvalidTokenError:
            raise Fault(401, "You must be logged in: the token is not valid.") from None
        if not isinstance(claims.get("organisationId"), str):
            raise Fault(401, "Organisation ID not found in API token")
        self._note_use(claims["jti"])
        return claims

    def revoke(self, token_id: str, *, organisation: str | None = None) -> None:
        """End a token now; ending it again changes nothing.

        Raises:
            Fault: 404 when there is no such token (of that organisation).
        """
        ended = self._store.sql.execute(
            "UPDATE token SET revoked = 1 WHERE id = ? AND organisation = coalesce(?, organisation)",
            (token_id, organisation),
        )
        if ended.rowcount == 0:
            raise Fault(404, "No such token.")

    def revoke_session(self, session: str) -> None:
        """End every token that came out of a browser session or a grant."""
        self._store.sql.execute("UPDATE token SET revoked = 1 WHERE session = ?", (session,))

    def list_tokens(self, organisation: str, subject: str | None = None) -> list[Issued]:
        """Tokens of an organisation (or of one person in it), newest first; without those of sessions and grants."""
        rows = self._store.sql.execute(
            "SELECT id, organisation, subject, kind, name, role, community, created, expires, used, revoked FROM token "
            "WHERE organisation = ? AND subject = coalesce(?, subject) AND kind NOT IN ('session', 'oauth') "
            "ORDER BY created DESC, rowid DESC",
            (organisation, subject),
        )
        return [Issued(**{**dict(row), "revoked": bool(row["revoked"])}) for row in rows]

    def revocations(self) -> tuple[bytes, str]:
        """The feed of revoked tokens that have not expired yet, and its ETag."""
        rows = self._store.sql.execute(
            "SELECT id, expires FROM token WHERE revoked = 1 AND expires > ? ORDER BY id", (int(time.time()),)
        )
        text = json.dumps({"revoked": [{"jti": row["id"], "exp": row["expires"]} for row in rows]}).encode()
        return text, f'"{hashlib.sha256(text).hexdigest()[:32]}"'

    def _note_use(self, token_id: str) -> None:
        row = self._store.sql.execute("SELECT revoked, used FROM token WHERE id = ?", (token_id,)).fetchone()
        if row is None or row["revoked"]:
            raise Fault(401, "You must be logged in: the token was revoked.")
        now = int(time.time())
        if row["used"] is None or row["used"] < now - _USED_EVERY_S:
            self._store.sql.execute("UPDATE token SET used = ? WHERE id = ?", (now, token_id))

    def _claims(self, order: Order, token_id: str, now: int) -> dict[str, Any]:
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": order.subject,
            "organisationId": order.organisation,
            "roles": [write_grant(order.organisation, order.role, order.community)],
            "jti": token_id,
            "iat": min(now, now + order.ttl_s - 1),
            "exp": now + order.ttl_s,
        }
        return {**claims, **({} if order.kind == "api_token" else {"type": order.kind}), **order.claims}

    def _sign(self, key: ec.EllipticCurvePrivateKey, claims: dict[str, Any], typ: str | None = None) -> str:
        headers = {"kid": self.key_id} if typ is None else {"kid": self.key_id, "typ": typ}
        return jwt.encode(claims, key, algorithm=_ALGORITHM, headers=headers)


def _load_key(store: EntityStore) -> ec.EllipticCurvePrivateKey:
    """The key of this database, made on its first start: tokens outlive a restart when the data do."""
    row = store.sql.execute("SELECT value FROM setting WHERE name = 'signing-key'").fetchone()
    if row is not None:
        return cast("ec.EllipticCurvePrivateKey", load_pem_private_key(row[0].encode(), password=None))
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    store.sql.execute("INSERT INTO setting VALUES ('signing-key', ?)", (pem,))
    return key
