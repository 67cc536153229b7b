"""The catalogue: everything an agent can do, in reading order."""

from tools import (
    campaigns,
    communities,
    connection,
    posts,
    tags,
    tokens,
    users,
)
from tools.spec import Tool

CATALOGUE: tuple[Tool, ...] = (
    *connection.TOOLS,
    *communities.TOOLS,
    *posts.TOOLS,
    *tags.TOOLS,
    *users.TOOLS,
    *campaigns.TOOLS,
    *tokens.TOOLS,
)
