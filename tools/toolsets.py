"""Toolsets: the words of x-toolsets, and which of them a client gets without asking."""

TOOLSETS: tuple[str, ...] = (
    "connection",
    "communities",
    "challenges",
    "challenge_groups",
    "actions",
    "posts",
    "tags",
    "users",
    "reports",
    "rewards",
    "achievements",
    "distributions",
    "leaderboards",
    "campaigns",
    "games",
    "templates",
    "theme",
    "variables",
    "organisation",
    "team",
    "domains",
    "webhooks",
    "tokens",
    "analytics",
)
"""All of them, the default ones first."""

DEFAULT: frozenset[str] = frozenset(TOOLSETS[: TOOLSETS.index("reports") + 1])
"""The daily round: where, what to do and in what order, who is told, who took part, how it went. The others are set up
seldom; what is listed costs every conversation its tokens, and `x-toolsets: all` lists everything."""
