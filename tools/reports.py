"""All reports, in reading order."""

from tools import report_challenges, report_community, report_points, report_rewards, report_users

TOOLS = (
    *report_challenges.TOOLS,
    *report_points.TOOLS,
    *report_rewards.TOOLS,
    *report_users.TOOLS,
    *report_community.TOOLS,
)
