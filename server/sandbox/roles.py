"""What each role may do, as the tenant itself enforces it, whatever the server in front of it decided."""

import re
from dataclasses import dataclass

from server.sandbox.faults import Fault
from tools.spec import Permission, Subject, Verb

ROLES = ("viewer", "moderator", "manager", "admin", "super-admin")
"""Weakest first."""

_ALL = "CRUD"
_CONTENT = ("R", "R", _ALL, _ALL, _ALL)
_MODERATED = ("R", _ALL, _ALL, _ALL, _ALL)
_SETTINGS = ("R", "R", "R", "CRU", _ALL)
_ADMIN = ("", "", "", _ALL, _ALL)
_MATRIX = {
    Subject.CHALLENGE: _CONTENT,
    Subject.CHALLENGE_GROUP: _CONTENT,
    Subject.ACTION: _CONTENT,
    Subject.ACHIEVEMENT: _CONTENT,
    Subject.REWARD: _CONTENT,
    Subject.DISTRIBUTION: _CONTENT,
    Subject.LEADERBOARD: _CONTENT,
    Subject.TAG: _CONTENT,
    Subject.CAMPAIGN: _CONTENT,
    Subject.GAME: _CONTENT,
    Subject.TEMPLATE: _CONTENT,
    Subject.COMMUNITY: _CONTENT,
    Subject.POST: _MODERATED,
    Subject.COMMENT: _MODERATED,
    Subject.USER: ("R", "RU", "R", _ALL, _ALL),
    Subject.ANALYTICS: ("R", "R", "R", "R", "R"),
    Subject.THEME: _SETTINGS,
    Subject.VARIABLE: _SETTINGS,
    Subject.ORGANISATION: _SETTINGS,
    Subject.TEAM: ("R", "R", "RU", _ALL, _ALL),
    Subject.DOMAIN: _ADMIN,
    Subject.WEBHOOK: _ADMIN,
    Subject.TOKEN: _ADMIN,
}
_ROLE = re.compile(r"orgId-([0-9a-f]{24}):(?:comId-([0-9a-f]{24}):)?role-([a-z-]+)")


def allows(role: str, permission: Permission) -> bool:
    """Whether a role covers a permission."""
    return permission.verb.value[0].upper() in _MATRIX[permission.subject][ROLES.index(role)]


def write_grant(organisation: str, role: str, community: str | None) -> str:
    """A grant as the product writes it into a token."""
    if role == "super-admin" and community is None:
        return "role-super-admin"
    return f"orgId-{organisation}:" + (f"comId-{community}:" if community else "") + f"role-{role}"


@dataclass(frozen=True, slots=True)
class SandboxCaller:
    """Who calls, once the token is known to be good: grants are (role, community or None), of one organisation."""

    subject: str
    token_id: str
    organisation: str
    grants: tuple[tuple[str, str | None], ...]

    def scope(self, permission: Permission) -> frozenset[str] | None:
        """Communities the caller may use a permission in; None means the whole organisation.

        Raises:
            Fault: 403 when no grant covers it.
        """
        communities = {community for role, community in self.grants if allows(role, permission)}
        if not communities:
            raise Fault(403, f"Insufficient permissions: {permission} is required.")
        return None if None in communities else frozenset(community for community in communities if community)

    def holds(self, role: str) -> bool:
        """Whether an organisation-wide grant is at least this role."""
        return any(community is None and ROLES.index(held) >= ROLES.index(role) for held, community in self.grants)


def read_caller(subject: str, token_id: str, organisation: str, roles: list[str]) -> SandboxCaller:
    """Read the role strings of a token; those of other organisations, or of no known role, grant nothing."""
    grants: list[tuple[str, str | None]] = []
    for text in roles:
        match = _ROLE.fullmatch(text)
        if text == "role-super-admin":
            grants.append(("super-admin", None))
        elif match and match[1] == organisation and match[3] in ROLES:
            grants.append((match[3], match[2]))
    return SandboxCaller(subject, token_id, organisation, tuple(grants))


READ, CREATE, UPDATE, DELETE = Verb.READ, Verb.CREATE, Verb.UPDATE, Verb.DELETE
