"""This server as a client of the authorization server: how it proves who it is (RFC 6749 section 2.3.1)."""

import base64
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus

_CAP = 8192


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An id, and the file with the secret, which is read at each use so that rotating it takes no restart."""

    id: str
    secret_file: Path

    def build_headers(self) -> dict[str, str]:
        """The headers of a form that this client sends.

        Raises:
            ValueError: the file cannot be read, or has not one printable line in it.
        """
        try:
            secret = self.secret_file.read_bytes()[: _CAP + 1].decode("ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise ValueError(f"{self.secret_file}: cannot be read") from None
        if not 0 < len(secret) <= _CAP or not secret.isprintable():
            raise ValueError(f"{self.secret_file}: is not one line of at most {_CAP} characters")
        proof = base64.b64encode(f"{quote_plus(self.id)}:{quote_plus(secret)}".encode()).decode()
        return {
            "authorization": f"Basic {proof}",
            "content-type": "application/x-www-form-urlencoded",
            "accept": "application/json",
        }
