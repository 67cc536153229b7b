"""A token mint of the bench's own: one RS256 key, made at run time and never written with its private half."""

import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_ID = "bench"


class Issuer:
    """Signs tokens that both servers trust; `issuer` and `audience` are what they must demand."""

    issuer = "https://issuer.bench.invalid"
    audience = "bench"

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)

    def pem(self) -> str:
        """The public key."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def write_keys(self, path: Path) -> None:
        """The public key as a JWK set (RFC 7517)."""
        public: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        path.write_text(json.dumps({"keys": [{**public, "kid": KEY_ID, "alg": "RS256", "use": "sig"}]}), "utf-8")

    def token(self, organisation: str, subject: str = "bench", token_id: str = "bench") -> str:
        """A token of an organisation's manager, good for a day."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "organisationId": organisation,
            "roles": [f"orgId-{organisation}:role-manager"],
            "type": "mcp",
            "jti": token_id,
            "iat": now,
            "exp": now + 86_400,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": KEY_ID})
