"""All reports, in reading order."""

from tools.reports import challenges, community, points, rewards, users

TOOLS = (
    *challenges.TOOLS,
    *points.TOOLS,
    *rewards.TOOLS,
    *users.TOOLS,
    *community.TOOLS,
)
