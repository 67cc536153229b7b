"""Which role may use which tool, written down a second time: from the house plan and the tools' names alone."""

from collections.abc import Mapping
from functools import cache

ROLES = ("viewer", "moderator", "manager", "admin", "super-admin")

_ALL = "RCUD"
_CONTENT = ("R", "R", _ALL, _ALL, _ALL)
MATRIX: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        [
            "Challenge",
            "ChallengeGroup",
            "Action",
            "Achievement",
            "Reward",
            "Distribution",
            "Leaderboard",
            "Tag",
            "Campaign",
            "Game",
            "Template",
            "Community",
        ],
        _CONTENT,
    ),
    "Post": ("R", _ALL, _ALL, _ALL, _ALL),
    "User": ("R", "RU", "R", _ALL, _ALL),
    "Analytics": ("R",) * 5,
    **dict.fromkeys(("Theme", "Variable", "Organisation"), ("R", "R", "R", "RCU", _ALL)),
    "Team": ("R", "R", "RU", _ALL, _ALL),
    **dict.fromkeys(("Domain", "Webhook", "Token"), ("", "", "", _ALL, _ALL)),
}
"""The role matrix, as the house plan's section 6 has it."""

WITHIN_COMMUNITIES = frozenset(
    [
        "Community",
        "Challenge",
        "ChallengeGroup",
        "Action",
        "Achievement",
        "Reward",
        "Distribution",
        "Leaderboard",
        "Post",
    ]
)

_VERBS = {
    "R": ("list", "get", "report"),
    "C": ("create", "add", "give"),
    "U": ("update", "set", "reorder", "close", "invite"),
    "D": ("delete", "remove", "erase", "revoke"),
}
_LETTER = {verb: letter for letter, verbs in _VERBS.items() for verb in verbs}
_NOUNS = {
    "communities": "Community",
    "challenge_groups": "ChallengeGroup",
    "achievement_series": "Achievement",
    "rewards": "Reward",
    "giveaway": "Reward",
    "webhook_logs": "Webhook",
    "user_analytics": "Analytics",
}
_OTHERWISE = {
    "check_connection": "",
    "give_rewards": "C Distribution",
    "set_webhooks": "D Webhook",
    "report_top_challenges": "R Challenge",
    "report_completion": "R Challenge",
    "report_points": "R User",
    "report_rewards_low": "R Reward",
    "report_top_users": "R User",
    "report_community": "R Community",
}


@cache
def needed(tool: str) -> tuple[str, str]:
    """Letter and subject of the permission that decides on a tool; both empty when it takes none."""
    if tool in _OTHERWISE:
        letter, _, subject = _OTHERWISE[tool].partition(" ")
        return letter, subject
    verb, _, noun = tool.partition("_")
    single = "".join(word.capitalize() for word in noun.removesuffix("s").split("_"))
    return _LETTER[verb], _NOUNS.get(noun, single)


def entitled(tool: str, role: str, bound: bool, mode: str | None) -> str | None:
    """Why a role may not use a tool at all; None when it may.

    Parameters:
        bound: whether the role holds in a community only.
    """
    letter, subject = needed(tool)
    if not letter:
        return None
    if letter not in MATRIX[subject][ROLES.index(role)]:
        return "role_denied"
    if bound and letter != "R" and (subject not in WITHIN_COMMUNITIES or tool == "create_community"):
        return "community_denied"
    return "mode_denied" if mode == "planner" and letter != "R" else None
