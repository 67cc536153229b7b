"""Toolsets: the words of x-toolsets, and which of them a client gets without asking."""

TOOLSETS: tuple[str, ...] = (
    "connection",
    "communities",
    "challenges",
    "rewards",
    "posts",
    "tags",
    "users",
    "reports",
    "challenge_groups",
    "actions",
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
"""The daily round: where, what to do, what it wins, who is told, who took part, how it went. create_challenge makes
actions by itself, so that toolset is for repairs; the others are set up seldom. What is listed costs
every conversation its tokens; `x-toolsets: all` lists everything."""
