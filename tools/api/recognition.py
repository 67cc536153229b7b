"""What to do about a write whose end is not known: how it is recognised, and whether doing it again does harm."""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.api import operations as op
from tools.spec import Operation


@dataclass(frozen=True, slots=True)
class Look:
    """How a lost creation is found again: by the list tool that shows it, and the member it is told by."""

    tool: str
    by: str


CREATIONS: Mapping[Operation, Look] = {
    op.CREATE_COMMUNITY: Look("list_communities", "name"),
    op.CREATE_CHALLENGE: Look("list_challenges", "title"),
    op.CREATE_CHALLENGE_GROUP: Look("list_challenge_groups", "title"),
    op.CREATE_ACTION: Look("list_actions", "title"),
    op.CREATE_ACHIEVEMENT: Look("list_achievements", "title"),
    op.CREATE_REWARD: Look("list_rewards", "title"),
    op.CREATE_LEADERBOARD: Look("list_leaderboards", "name"),
    op.CREATE_POST: Look("list_posts", "title"),
    op.CREATE_TAG: Look("list_tags", "value"),
    op.CREATE_USER: Look("list_users", "email"),
    op.CREATE_CAMPAIGN: Look("list_campaigns", "name"),
    op.CREATE_GAME_CONFIG: Look("list_games", "title"),
    op.ADD_DOMAIN: Look("get_domains", "domain"),
}
"""Writes that make one thing more each time they are made."""

UNRECOGNISABLE = frozenset({op.PROCESS_MANUAL_DISTRIBUTION, op.PROCESS_GIVEAWAY, op.INVITE_TEAM})
"""Writes that no read shows for certain, and that do harm when they are made twice."""


def advise(operation: Operation, *, made: bool = False) -> str:
    """What to do after a write that may have been made, or was made and answered with what cannot be read.

    Obeyed word for word it never doubles anything. All other writes set a state, and setting it again changes nothing.
    """
    look = CREATIONS.get(operation)
    if look is not None and made:
        return f"It was made; do not call again. Look with {look.tool} for the {look.by} given to learn its id."
    if look is not None:
        return (
            f"It may have been made. Wait a minute, look with {look.tool} for the {look.by} given, and call again only "
            "if nothing new has it, with another request_key if one was sent."
        )
    if operation in UNRECOGNISABLE:
        return (
            "It may have been done, and no tool shows for certain whether it was: do not call again. Tell the person "
            "in charge, who can look in the admin panel."
        )
    if made:
        return "It was done; look with the matching get_ or list_ tool."
    return (
        "It may have been done. The same call again does no harm; not_found then means that it was already gone. "
        "Or look first with the matching get_ or list_ tool."
    )
