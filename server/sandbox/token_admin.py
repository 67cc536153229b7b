"""What a signed-in person may do with tokens: give no more than they hold, see their own, end what they may end."""

from server.sandbox.entities import COMMUNITY
from server.sandbox.faults import Fault
from server.sandbox.roles import ROLES
from server.sandbox.seed_builder import build_organisation_id
from server.sandbox.sessions import Session
from server.sandbox.store import EntityStore
from server.sandbox.tokens import Issued, Kind, Order, Tokens

LIFETIMES_S = {"mcp": 30 * 24 * 3600, "api_token": 365 * 24 * 3600}
"""MCP tokens last a month; API tokens are long-lived and rotated by hand."""


class TokenAdmin:
    """Tokens as Settings, Developer offers them."""

    def __init__(self, store: EntityStore, tokens: Tokens) -> None:
        self._store = store
        self._tokens = tokens

    def roles(self, session: Session) -> tuple[str, ...]:
        """What the person may give away: nothing above their own role."""
        return ROLES[: ROLES.index(session.account.role) + 1]

    def mint(self, session: Session, *, kind: Kind, name: str, role: str, community: str | None) -> str:
        """Make a token for the person, to be shown once.

        Raises:
            Fault: 400 for a nameless one; 403 above the person's own role; 404 for a community of somebody else.
        """
        if kind not in LIFETIMES_S or not 1 <= len(name.strip()) <= 80:
            raise Fault(400, "Give the token a name of 1 to 80 characters.")
        if role not in self.roles(session) or (kind == "api_token" and not _is_admin(session)):
            raise Fault(403, "You cannot give more than your own role.")
        organisation = build_organisation_id(session.organisation)
        if community is not None and self._store.find(organisation, COMMUNITY.kind, community) is None:
            raise Fault(404, "There is no such community.")
        order = Order(organisation, session.account.id, role, community, kind, LIFETIMES_S[kind], name=name.strip())
        return self._tokens.mint(order)

    def list_tokens(self, session: Session) -> list[Issued]:
        """The organisation's tokens for an admin, a person's own for everybody else."""
        subject = None if _is_admin(session) else session.account.id
        return self._tokens.list_tokens(build_organisation_id(session.organisation), subject)

    def revoke(self, session: Session, token_id: str) -> None:
        """End a token that the person can see.

        Raises:
            Fault: 404 for any other.
        """
        if token_id not in {each.id for each in self.list_tokens(session)}:
            raise Fault(404, "No such token.")
        self._tokens.revoke(token_id)


def _is_admin(session: Session) -> bool:
    return ROLES.index(session.account.role) >= ROLES.index("admin")
