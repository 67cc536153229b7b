"""Toolsets: the words of x-toolsets, and which of them a client gets without asking."""

TOOLSETS: tuple[str, ...] = (
    "connection",
    "communities",
    "challenges",
    "actions",
    "achievements",
    "rewards",
    "leaderboards",
    "posts",
    "tags",
    "users",
    "reports",
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
"""All of them, in the order of the catalogue."""

DEFAULT: frozenset[str] = frozenset(TOOLSETS[: TOOLSETS.index("reports") + 1])
"""What daily work needs; the rest is set up once or seldom, and costs every conversation its tokens."""
