"""What one stretch of the way turned out to be: passed, failed with its cause and fix, or not reached."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from tools.refusals import Code


class Kind(StrEnum):
    """Whose business a failure is."""

    CONFIG = "config"
    NETWORK = "network"
    TLS = "tls"
    TOKEN = "token"
    ORGANISATION = "organisation"
    ROLE = "role"
    TENANT = "tenant"
    SERVER = "server"


EXIT: Mapping[Kind, int] = {kind: 10 + place for place, kind in enumerate(Kind)}
"""Exit code of each kind of failure; 0 is a clean bill, 2 a wrong command line."""


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of the way.

    Parameters:
        name: which.
        good: True passed, False failed, None not reached.
        said: what was found, one sentence; never a token.
        fix: what to do about a failure.
        kind, reason: of a failure; reason is a word for programs.
    """

    name: str
    good: bool | None
    said: str
    fix: str | None = None
    kind: Kind | None = None
    reason: str | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON, without the members that say nothing."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class Broken(Exception):
    """The cause of a failure, raised where it is found."""

    def __init__(self, kind: Kind, reason: str, said: str, fix: str) -> None:
        super().__init__(said)
        self.kind = kind
        self.reason = reason
        self.said = said
        self.fix = fix

    def step(self, name: str) -> Step:
        """The failure as the step it happened in."""
        return Step(name, False, self.said, self.fix, self.kind, self.reason)


def blame_config(reason: str, said: str, fix: str) -> Broken:
    """A cause that lies in the client's own config."""
    return Broken(Kind.CONFIG, reason, said, fix)


_KINDS: Mapping[str, Kind] = {
    Code.TENANT_UNKNOWN: Kind.ORGANISATION,
    Code.VERIFICATION_UNAVAILABLE: Kind.SERVER,
    Code.UPSTREAM_UNAUTHORIZED: Kind.TOKEN,
    Code.UPSTREAM_FORBIDDEN: Kind.ROLE,
    "credentials": Kind.TOKEN,
    "token": Kind.TOKEN,
    "domain": Kind.ORGANISATION,
    "organisation": Kind.ORGANISATION,
    "role": Kind.ROLE,
    "community": Kind.ROLE,
    "mode": Kind.ROLE,
    "upstream": Kind.TENANT,
}


def blame_refusal(error: Mapping[str, Any]) -> Broken:
    """The cause behind an error object of the server's envelope (docs/errors.md)."""
    code = str(error.get("code"))
    kind = _KINDS.get(code) or _KINDS.get(code.partition("_")[0], Kind.SERVER)
    reason = str(error.get("reason") or code)
    return Broken(kind, reason, str(error.get("message")), str(error.get("hint")))
