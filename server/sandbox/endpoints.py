"""All 88 operations: which permission each takes and what stands behind it."""

from server.sandbox import actions, distributions, organisation, people, rewards
from server.sandbox.crud import crud, endpoint, listing, reading, updating
from server.sandbox.entities import (
    ACHIEVEMENT,
    ACTION,
    CAMPAIGN,
    CHALLENGE,
    CHALLENGE_GROUP,
    COMMUNITY,
    GAME,
    LEADERBOARD,
    ORGANISATION,
    POST,
    REWARD,
    TAG,
    USER,
    VARIABLE,
    WEBHOOK_LOG,
)
from server.sandbox.operation_call import Endpoint, Handler
from server.sandbox.roles import CREATE, DELETE, READ, UPDATE
from tools.spec import Subject, Verb


def _name_operations(noun: str, plural: str, *, deletes: bool = True) -> dict[str, str]:
    names = {"lists": f"get{plural}", "creates": f"create{noun}", "reads": f"get{noun}", "updates": f"update{noun}"}
    return {**names, "deletes": f"delete{noun}"} if deletes else names


def _build_distribution(verb: Verb, handler: Handler) -> Endpoint:
    return endpoint(verb, Subject.DISTRIBUTION, handler)


ENDPOINTS: dict[str, Endpoint] = {
    **crud(COMMUNITY, Subject.COMMUNITY, **_name_operations("Community", "Communities")),
    **crud(CHALLENGE, Subject.CHALLENGE, **_name_operations("Challenge", "Challenges")),
    "getChallengeDistribution": _build_distribution(READ, distributions.reading(CHALLENGE)),
    "assignChallengeDistribution": _build_distribution(UPDATE, distributions.assigning(CHALLENGE)),
    **crud(
        CHALLENGE_GROUP, Subject.CHALLENGE_GROUP, **_name_operations("ChallengeGroup", "ChallengeGroups", deletes=False)
    ),
    "getActions": endpoint(READ, Subject.ACTION, listing(ACTION)),
    "createAction": endpoint(CREATE, Subject.ACTION, actions.create_action),
    "reorderActions": endpoint(UPDATE, Subject.ACTION, actions.reorder_actions),
    "getAction": endpoint(READ, Subject.ACTION, reading(ACTION)),
    "updateAction": endpoint(UPDATE, Subject.ACTION, updating(ACTION)),
    "deleteAction": endpoint(DELETE, Subject.ACTION, actions.delete_action),
    "getActionDistribution": _build_distribution(READ, distributions.reading(ACTION)),
    "assignActionDistribution": _build_distribution(UPDATE, distributions.assigning(ACTION)),
    **crud(ACHIEVEMENT, Subject.ACHIEVEMENT, **_name_operations("Achievement", "Achievements")),
    "getAchievementDistribution": _build_distribution(READ, distributions.reading(ACHIEVEMENT)),
    "assignAchievementDistribution": _build_distribution(UPDATE, distributions.assigning(ACHIEVEMENT)),
    **crud(REWARD, Subject.REWARD, **_name_operations("Reward", "Rewards")),
    "createReward": endpoint(CREATE, Subject.REWARD, rewards.create_reward),
    "updateReward": endpoint(UPDATE, Subject.REWARD, rewards.update_reward),
    "processManualDistribution": _build_distribution(CREATE, rewards.distribute_by_hand),
    "processGiveaway": _build_distribution(CREATE, rewards.process_giveaway),
    **crud(
        LEADERBOARD,
        Subject.LEADERBOARD,
        lists="getLeaderboardConfigs",
        creates="createLeaderboard",
        reads="getLeaderboardConfig",
        updates="updateLeaderboardConfig",
    ),
    "getLeaderboardDistribution": _build_distribution(READ, distributions.read_leaderboard),
    "assignLeaderboardDistribution": _build_distribution(UPDATE, distributions.assign_leaderboard),
    **crud(POST, Subject.POST, **_name_operations("Post", "Posts")),
    "getAchievementTemplates": endpoint(READ, Subject.TEMPLATE, listing(ACHIEVEMENT, templates=True)),
    "getActionTemplates": endpoint(READ, Subject.TEMPLATE, listing(ACTION, templates=True)),
    "getChallengeTemplates": endpoint(READ, Subject.TEMPLATE, listing(CHALLENGE, templates=True)),
    "getPostTemplates": endpoint(READ, Subject.TEMPLATE, listing(POST, templates=True)),
    "getRewardTemplates": endpoint(READ, Subject.TEMPLATE, listing(REWARD, templates=True)),
    "getCommunityTemplates": endpoint(READ, Subject.TEMPLATE, listing(COMMUNITY, templates=True)),
    "getUsers": endpoint(READ, Subject.USER, listing(USER)),
    "createUser": endpoint(CREATE, Subject.USER, people.create_user),
    "getUser": endpoint(READ, Subject.USER, reading(USER)),
    "deleteUserData": endpoint(DELETE, Subject.USER, people.erase_user),
    "getUserAnalyticsDetails": endpoint(READ, Subject.ANALYTICS, people.analytics),
    **crud(TAG, Subject.TAG, **_name_operations("Tag", "Tags", deletes=False)),
    **crud(CAMPAIGN, Subject.CAMPAIGN, **_name_operations("Campaign", "Campaigns", deletes=False)),
    "getTheme": endpoint(READ, Subject.THEME, organisation.read_theme),
    "updateTheme": endpoint(UPDATE, Subject.THEME, organisation.update_theme),
    "getVariableConfigs": endpoint(READ, Subject.VARIABLE, listing(VARIABLE)),
    "getVariableConfig": endpoint(READ, Subject.VARIABLE, reading(VARIABLE)),
    "createOrganisation": endpoint(CREATE, Subject.ORGANISATION, organisation.create_organisation),
    "getOrganisation": endpoint(READ, Subject.ORGANISATION, reading(ORGANISATION)),
    "updateOrganisation": endpoint(UPDATE, Subject.ORGANISATION, updating(ORGANISATION)),
    "inviteTeam": endpoint(UPDATE, Subject.TEAM, people.invite_team),
    "getDomains": endpoint(READ, Subject.DOMAIN, organisation.read_domains),
    "addDomain": endpoint(CREATE, Subject.DOMAIN, organisation.add_domain),
    "removeDomain": endpoint(DELETE, Subject.DOMAIN, organisation.remove_domain),
    **crud(GAME, Subject.GAME, **_name_operations("GameConfig", "GameConfigs", deletes=False)),
    "assignGameDistribution": _build_distribution(UPDATE, distributions.assign_game),
    "getWebhookConfigs": endpoint(READ, Subject.WEBHOOK, organisation.read_webhooks),
    "putWebhookConfigs": endpoint(UPDATE, Subject.WEBHOOK, organisation.put_webhooks),
    "getWebhookLogs": endpoint(READ, Subject.WEBHOOK, listing(WEBHOOK_LOG)),
    "revokeToken": endpoint(DELETE, Subject.TOKEN, organisation.revoke_token),
}
