"""May this principal use this tool? One predicate for the list and for the call, and a named reason when not."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel

from server.access.roles import RoleMatrix
from server.identity.principal import Grant, Principal
from tools.refusals import Code, Field, ToolError
from tools.spec import Effect, Permission, Subject, Tool, Verb

Mode = Literal["planner", "builder"]

IN_A_COMMUNITY = frozenset(
    {
        Subject.COMMUNITY,
        Subject.CHALLENGE,
        Subject.CHALLENGE_GROUP,
        Subject.ACTION,
        Subject.ACHIEVEMENT,
        Subject.REWARD,
        Subject.DISTRIBUTION,
        Subject.LEADERBOARD,
        Subject.POST,
        Subject.COMMENT,
    }
)
"""Subjects whose entities belong to a community; to a community-bound caller all others are read-only."""

DISTINCT_GRANTS = 1024
"""Sets of grants whose verdicts are remembered; the least recent go first."""

COMMUNITY_FIELDS = frozenset({"community_id", "additional_community_ids"})
"""The argument names that name communities, at any depth of a tool's arguments."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one tool.

    Parameters:
        denied: None when allowed, otherwise the code of the refusal.
        communities: those the call must stay in; None for the whole organisation.
    """

    denied: Code | None
    communities: frozenset[str] | None = None


class Policy:
    """The predicate, over one role matrix."""

    def __init__(self, matrix: RoleMatrix) -> None:
        self._matrix = matrix
        self._decided = lru_cache(DISTINCT_GRANTS)(_start_verdicts)
        self._held = lru_cache(DISTINCT_GRANTS)(self._write_permissions)

    def decide(self, principal: Principal, tool: Tool, mode: Mode) -> Decision:
        """Judge role first, then mode: what the tool needs against what the principal holds.

        The verdict depends on nothing else, so it is reached once for each set of grants.
        """
        known = self._decided(principal.grants, mode)
        decision = known.get(tool.name)
        if decision is None:
            decision = known[tool.name] = self._decide(principal, tool, mode)
        return decision

    def _decide(self, principal: Principal, tool: Tool, mode: Mode) -> Decision:
        communities: frozenset[str] | None = None
        for permission in tool.permissions:
            reach = self._reach(principal, permission)
            if reach is not None and not reach:
                return Decision(self._why(principal, permission))
            if reach is not None:
                communities = reach if communities is None else communities & reach
        if communities is not None and not communities:
            return Decision(Code.COMMUNITY_DENIED)
        if mode == "planner" and tool.effect is not Effect.READ:
            return Decision(Code.MODE_DENIED)
        return Decision(None, communities)

    def permissions(self, principal: Principal) -> tuple[str, ...]:
        """Everything the principal holds anywhere in its organisation, as the product writes it."""
        return self._held(principal.grants)

    def _write_permissions(self, grants: tuple[Grant, ...]) -> tuple[str, ...]:
        return tuple(sorted({str(one) for grant in grants for one in self._matrix.held[grant.role]}))

    def refusal(self, decision: Decision, principal: Principal, tool: Tool, mode: Mode) -> ToolError:
        """The answer for a decision that denied."""
        match decision.denied:
            case Code.MODE_DENIED if principal.scopes is not None and "nudj:write" not in principal.scopes:
                return ToolError(
                    Code.MODE_DENIED,
                    f"This connection may only read; {tool.name} changes something.",
                    "Connect again, and take the tick off read only on the page that asks.",
                )
            case Code.MODE_DENIED:
                return ToolError(
                    Code.MODE_DENIED,
                    f"The session is in {mode} mode, which only reads; {tool.name} changes something.",
                    "Leave out x-agent-mode (NUDJ_AGENT_MODE on stdio) or set it to builder.",
                )
            case Code.COMMUNITY_DENIED:
                return ToolError(
                    Code.COMMUNITY_DENIED,
                    f"{tool.name} reaches beyond the communities this token is bound to.",
                    "Use a token whose role holds in the whole organisation.",
                    required=[str(one) for one in tool.permissions],
                    held=[str(grant) for grant in principal.grants],
                )
        return self._role_denied(principal, tool)

    def _role_denied(self, principal: Principal, tool: Tool) -> ToolError:
        lowest = self._matrix.lowest(tool.permissions)
        hint = "No role of this deployment may do this."
        if lowest is not None:
            hint = f"The lowest role that may is {lowest.value}; ask an admin of the organisation for such a token."
        missing = [one for one in tool.permissions if self._reach(principal, one) == frozenset()]
        return ToolError(
            Code.ROLE_DENIED,
            f"The token's role does not cover {tool.name}.",
            hint,
            required=[str(one) for one in missing],
            held=[str(grant) for grant in principal.grants],
        )

    def _reach(self, principal: Principal, permission: Permission) -> frozenset[str] | None:
        """Where the principal may do this: None everywhere, otherwise in these communities (perhaps none)."""
        covering = [grant for grant in principal.grants if self._matrix.covers(grant.role, permission)]
        if any(grant.community is None for grant in covering):
            return None
        if permission.verb is not Verb.READ and permission.subject not in IN_A_COMMUNITY:
            return frozenset()
        if permission == Permission(Verb.CREATE, Subject.COMMUNITY):
            return frozenset()
        return frozenset(grant.community for grant in covering if grant.community is not None)

    def _why(self, principal: Principal, permission: Permission) -> Code:
        """A role that would do, held only in a community, is a matter of community; otherwise it is the role."""
        covered = any(self._matrix.covers(grant.role, permission) for grant in principal.grants)
        return Code.COMMUNITY_DENIED if covered else Code.ROLE_DENIED


def _start_verdicts(_grants: tuple[Grant, ...], _mode: Mode) -> dict[str, Decision]:
    return {}


def check_communities(decision: Decision, tool: Tool, arguments: BaseModel) -> None:
    """Judge the validated arguments of a caller that is bound to communities.

    Raises:
        ToolError: community_denied, naming each argument that names a community outside the caller's own, or saying
            that a creating tool must name one.
    """
    if decision.communities is None:
        return
    named = list(_find_communities(arguments, ""))
    foreign = [pointer for pointer, community in named if community.lower() not in decision.communities]
    if foreign:
        raise ToolError(
            Code.COMMUNITY_DENIED,
            "The arguments name a community this token is not bound to.",
            "Use a community_id from check_connection.",
            fields=[Field(pointer, "not a community of this token") for pointer in foreign],
        )
    if tool.effect is Effect.CREATE and not named and any(p.verb is Verb.CREATE for p in tool.permissions):
        raise ToolError(
            Code.COMMUNITY_DENIED,
            "This token is bound to communities, so what it creates must name one of them.",
            "Set community_id to one that check_connection lists.",
            fields=[Field("/community_id", "missing", ", ".join(sorted(decision.communities)))],
        )


def _find_communities(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            inner = getattr(value, name)
            if name in COMMUNITY_FIELDS:
                yield from _find_ids(inner, f"{pointer}/{name}")
            else:
                yield from _find_communities(inner, f"{pointer}/{name}")
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from _find_communities(inner, f"{pointer}/{index}")


def _find_ids(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield f"{pointer}/{index}", inner
