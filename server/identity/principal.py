"""Who is asking, once that is certain: subject, organisation, grants, expiry."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from server.credentials.parsing import CredentialKind


class Role(StrEnum):
    """The product's roles, weakest first."""

    VIEWER = "viewer"
    MODERATOR = "moderator"
    MANAGER = "manager"
    ADMIN = "admin"
    SUPER_ADMIN = "super-admin"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in the whole organisation (`community` is None) or in one community of it."""

    role: Role
    community: str | None = None

    def __str__(self) -> str:
        return self.role.value if self.community is None else f"{self.role.value} in community {self.community}"


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose token was verified.

    Parameters:
        subject: the person or script, as the token names it.
        organisation: 24-hex id, lower case; from the verified token only.
        grants: roles in that organisation; grants elsewhere were dropped.
        expires_at: seconds since the epoch.
        token_id: `jti`, for audit and revocation; None when the token has none.
        kind: which of the two credentials it was.
        digest: SHA-256 of the token, hex: the key under which anything about it may be kept.
        audiences: resources the token was made for; read at the OAuth door only, where it is compared on every call.
        scopes: what an OAuth grant covers; None for a token that is not limited that way.
        client_id, grant_id: the program and the grant behind an OAuth token, for audit.

    `key` is the organisation and SHA-256 of the subject, which may be of any length: under it, what concerns the caller
    whatever its token is kept.
    """

    subject: str
    organisation: str
    grants: tuple[Grant, ...]
    expires_at: int
    token_id: str | None
    kind: CredentialKind
    digest: str
    audiences: tuple[str, ...] = ()
    scopes: frozenset[str] | None = None
    client_id: str | None = None
    grant_id: str | None = None
    key: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        subject = hashlib.sha256(self.subject.encode("utf-8", "surrogatepass")).hexdigest()
        object.__setattr__(self, "key", f"{self.organisation}:{subject}")
