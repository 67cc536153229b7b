"""The catalogue: everything an agent can do, in reading order."""

from tools import (
    campaigns,
    communities,
    connection,
    domains,
    games,
    organisation,
    posts,
    tags,
    team,
    templates,
    theme,
    tokens,
    users,
    variables,
    webhooks,
)
from tools.spec import Tool

CATALOGUE: tuple[Tool, ...] = (
    *connection.TOOLS,
    *communities.TOOLS,
    *posts.TOOLS,
    *tags.TOOLS,
    *users.TOOLS,
    *campaigns.TOOLS,
    *games.TOOLS,
    *templates.TOOLS,
    *theme.TOOLS,
    *variables.TOOLS,
    *organisation.TOOLS,
    *team.TOOLS,
    *domains.TOOLS,
    *webhooks.TOOLS,
    *tokens.TOOLS,
)
