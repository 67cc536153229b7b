"""The catalogue: everything an agent can do, in reading order."""

from tools.content import (
    achievement_creation,
    achievements,
    actions,
    campaigns,
    challenge_creation,
    challenge_groups,
    challenges,
    distributions,
    games,
    giveaways,
    leaderboards,
    posts,
    rewards,
    tags,
    templates,
)
from tools.organisation import connection, domains, organisation, theme, tokens, variables, webhooks
from tools.people import communities, team, user_analytics, users
from tools.reports import all_reports
from tools.spec import Tool

CATALOGUE: tuple[Tool, ...] = (
    *connection.TOOLS,
    *communities.TOOLS,
    *challenges.TOOLS,
    *challenge_creation.TOOLS,
    *challenge_groups.TOOLS,
    *actions.TOOLS,
    *achievements.TOOLS,
    *achievement_creation.TOOLS,
    *rewards.TOOLS,
    *giveaways.TOOLS,
    *distributions.TOOLS,
    *leaderboards.TOOLS,
    *posts.TOOLS,
    *tags.TOOLS,
    *users.TOOLS,
    *user_analytics.TOOLS,
    *all_reports.TOOLS,
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
