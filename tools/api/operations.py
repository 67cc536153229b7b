"""The tenant's API as data: every operation a tool can make, and what to read before a community-bound write.

The list equals the API document the embedded tenant serves; a test compares the two.
"""

from tools.shared.action_types import ACTION_CATEGORIES
from tools.spec import Guard, Operation

# What guards of operations further up read; each stands under its own heading too.
_GET_ACTION = Operation("getAction", "GET", "/actions/{id}")
_GET_ACHIEVEMENT = Operation("getAchievement", "GET", "/achievements/{id}")
_GET_REWARD = Operation("getReward", "GET", "/rewards/{id}")

# Communities
GET_COMMUNITIES = Operation("getCommunities", "GET", "/communities")
CREATE_COMMUNITY = Operation("createCommunity", "POST", "/communities")
GET_COMMUNITY = Operation("getCommunity", "GET", "/communities/{id}")
UPDATE_COMMUNITY = Operation("updateCommunity", "POST", "/communities/{id}", guards=(Guard(GET_COMMUNITY, "path.id"),))
DELETE_COMMUNITY = Operation(
    "deleteCommunity", "DELETE", "/communities/{id}", guards=(Guard(GET_COMMUNITY, "path.id"),)
)

# Challenges
GET_CHALLENGES = Operation("getChallenges", "GET", "/challenges")
CREATE_CHALLENGE = Operation("createChallenge", "POST", "/challenges")
GET_CHALLENGE = Operation("getChallenge", "GET", "/challenges/{id}")
UPDATE_CHALLENGE = Operation("updateChallenge", "POST", "/challenges/{id}", guards=(Guard(GET_CHALLENGE, "path.id"),))
DELETE_CHALLENGE = Operation("deleteChallenge", "DELETE", "/challenges/{id}", guards=(Guard(GET_CHALLENGE, "path.id"),))
GET_CHALLENGE_DISTRIBUTION = Operation(
    "getChallengeDistribution", "GET", "/challenges/{id}/distribution", guards=(Guard(GET_CHALLENGE, "path.id"),)
)
ASSIGN_CHALLENGE_DISTRIBUTION = Operation(
    "assignChallengeDistribution",
    "POST",
    "/challenges/{id}/distribution",
    guards=(
        Guard(GET_CHALLENGE, "path.id"),
        Guard(_GET_REWARD, "body.rewardsConfig.allocations.*.rewardId"),
    ),
)

# Challenge groups
GET_CHALLENGE_GROUPS = Operation("getChallengeGroups", "GET", "/challenge-groups")
CREATE_CHALLENGE_GROUP = Operation(
    "createChallengeGroup", "POST", "/challenge-groups", guards=(Guard(GET_CHALLENGE, "body.challengeIds.*"),)
)
GET_CHALLENGE_GROUP = Operation("getChallengeGroup", "GET", "/challenge-groups/{id}")
UPDATE_CHALLENGE_GROUP = Operation(
    "updateChallengeGroup",
    "PATCH",
    "/challenge-groups/{id}",
    guards=(
        Guard(GET_CHALLENGE_GROUP, "path.id"),
        Guard(GET_CHALLENGE, "body.challengeIds.*"),
    ),
)

# Actions
GET_ACTIONS = Operation("getActions", "GET", "/actions")
CREATE_ACTION = Operation(
    "createAction",
    "POST",
    "/actions",
    guards=(
        Guard(GET_CHALLENGE, "body.allocationId", ("allocatedTo", "challenge")),
        Guard(_GET_ACHIEVEMENT, "body.allocationId", ("allocatedTo", "achievement")),
    ),
)
REORDER_ACTIONS = Operation(
    "reorderActions", "PATCH", "/actions/reorder", guards=(Guard(_GET_ACTION, "body.actionIds.*"),)
)
GET_ACTION = _GET_ACTION
UPDATE_ACTION = Operation("updateAction", "POST", "/actions/{id}", guards=(Guard(GET_ACTION, "path.id"),))
DELETE_ACTION = Operation("deleteAction", "DELETE", "/actions/{id}", guards=(Guard(GET_ACTION, "path.id"),))
GET_ACTION_DISTRIBUTION = Operation(
    "getActionDistribution", "GET", "/actions/{id}/distribution", guards=(Guard(GET_ACTION, "path.id"),)
)
ASSIGN_ACTION_DISTRIBUTION = Operation(
    "assignActionDistribution",
    "POST",
    "/actions/{id}/distribution",
    guards=(
        Guard(GET_ACTION, "path.id"),
        Guard(_GET_REWARD, "body.rewardsConfig.allocations.*.rewardId"),
    ),
)

# Achievements
GET_ACHIEVEMENTS = Operation("getAchievements", "GET", "/achievements")
_SOURCE, _EVENT = "body.queries.*.parameters.eventSourceId", "queries.*.parameters.eventCategory"
CREATE_ACHIEVEMENT = Operation(
    "createAchievement",
    "POST",
    "/achievements",
    guards=(
        Guard(GET_CHALLENGE, _SOURCE, (_EVENT, "challenge")),
        Guard(_GET_ACHIEVEMENT, _SOURCE, (_EVENT, "achievement")),
        *(Guard(GET_ACTION, _SOURCE, (_EVENT, category)) for category in ACTION_CATEGORIES),
    ),
)
GET_ACHIEVEMENT = _GET_ACHIEVEMENT
UPDATE_ACHIEVEMENT = Operation(
    "updateAchievement", "POST", "/achievements/{id}", guards=(Guard(GET_ACHIEVEMENT, "path.id"),)
)
DELETE_ACHIEVEMENT = Operation(
    "deleteAchievement", "DELETE", "/achievements/{id}", guards=(Guard(GET_ACHIEVEMENT, "path.id"),)
)
GET_ACHIEVEMENT_DISTRIBUTION = Operation(
    "getAchievementDistribution", "GET", "/achievements/{id}/distribution", guards=(Guard(GET_ACHIEVEMENT, "path.id"),)
)
ASSIGN_ACHIEVEMENT_DISTRIBUTION = Operation(
    "assignAchievementDistribution",
    "POST",
    "/achievements/{id}/distribution",
    guards=(
        Guard(GET_ACHIEVEMENT, "path.id"),
        Guard(_GET_REWARD, "body.rewardsConfig.allocations.*.rewardId"),
    ),
)

# Rewards
GET_REWARDS = Operation("getRewards", "GET", "/rewards")
CREATE_REWARD = Operation("createReward", "POST", "/rewards")
PROCESS_MANUAL_DISTRIBUTION = Operation(
    "processManualDistribution",
    "POST",
    "/rewards/manual-distribution",
    guards=(Guard(_GET_REWARD, "body.rewards.*.rewardId"),),
)
GET_REWARD = _GET_REWARD
UPDATE_REWARD = Operation("updateReward", "POST", "/rewards/{id}", guards=(Guard(GET_REWARD, "path.id"),))
DELETE_REWARD = Operation("deleteReward", "DELETE", "/rewards/{id}", guards=(Guard(GET_REWARD, "path.id"),))
PROCESS_GIVEAWAY = Operation(
    "processGiveaway", "POST", "/rewards/{id}/process-giveaway", guards=(Guard(GET_REWARD, "path.id"),)
)

# Leaderboards
CREATE_LEADERBOARD = Operation("createLeaderboard", "POST", "/leaderboards")
GET_LEADERBOARD_CONFIGS = Operation("getLeaderboardConfigs", "GET", "/leaderboards/configs")
GET_LEADERBOARD_CONFIG = Operation("getLeaderboardConfig", "GET", "/leaderboards/configs/{id}")
UPDATE_LEADERBOARD_CONFIG = Operation(
    "updateLeaderboardConfig", "PATCH", "/leaderboards/configs/{id}", guards=(Guard(GET_LEADERBOARD_CONFIG, "path.id"),)
)
GET_LEADERBOARD_DISTRIBUTION = Operation(
    "getLeaderboardDistribution",
    "GET",
    "/leaderboards/{leaderboardConfigId}/distribution",
    guards=(Guard(GET_LEADERBOARD_CONFIG, "path.leaderboardConfigId"),),
)
ASSIGN_LEADERBOARD_DISTRIBUTION = Operation(
    "assignLeaderboardDistribution",
    "POST",
    "/leaderboards/{leaderboardConfigId}/distribution",
    guards=(
        Guard(GET_LEADERBOARD_CONFIG, "path.leaderboardConfigId"),
        Guard(GET_REWARD, "body.rewards.*.rewardsConfig.allocations.*.rewardId"),
    ),
)

# Posts
GET_POSTS = Operation("getPosts", "GET", "/posts")
CREATE_POST = Operation("createPost", "POST", "/posts")
GET_POST = Operation("getPost", "GET", "/posts/{id}")
UPDATE_POST = Operation("updatePost", "POST", "/posts/{id}", guards=(Guard(GET_POST, "path.id"),))
DELETE_POST = Operation("deletePost", "DELETE", "/posts/{id}", guards=(Guard(GET_POST, "path.id"),))

# Templates
GET_ACHIEVEMENT_TEMPLATES = Operation("getAchievementTemplates", "GET", "/templates/achievements", offers=True)
GET_ACTION_TEMPLATES = Operation("getActionTemplates", "GET", "/templates/actions", offers=True)
GET_CHALLENGE_TEMPLATES = Operation("getChallengeTemplates", "GET", "/templates/challenges", offers=True)
GET_POST_TEMPLATES = Operation("getPostTemplates", "GET", "/templates/posts", offers=True)
GET_REWARD_TEMPLATES = Operation("getRewardTemplates", "GET", "/templates/rewards", offers=True)
GET_COMMUNITY_TEMPLATES = Operation("getCommunityTemplates", "GET", "/templates/communities", offers=True)

# Users
GET_USERS = Operation("getUsers", "GET", "/users")
CREATE_USER = Operation("createUser", "POST", "/users")
GET_USER = Operation("getUser", "GET", "/users/{id}")
DELETE_USER_DATA = Operation("deleteUserData", "DELETE", "/users/{id}")

# Tags
GET_TAGS = Operation("getTags", "GET", "/tags")
CREATE_TAG = Operation("createTag", "POST", "/tags")
GET_TAG = Operation("getTag", "GET", "/tags/{id}")
UPDATE_TAG = Operation("updateTag", "PATCH", "/tags/{id}")

# Campaigns
GET_CAMPAIGNS = Operation("getCampaigns", "GET", "/campaigns")
CREATE_CAMPAIGN = Operation("createCampaign", "POST", "/campaigns")
GET_CAMPAIGN = Operation("getCampaign", "GET", "/campaigns/{id}")
UPDATE_CAMPAIGN = Operation("updateCampaign", "PATCH", "/campaigns/{id}")

# Themes
GET_THEME = Operation("getTheme", "GET", "/themes")
UPDATE_THEME = Operation("updateTheme", "PATCH", "/themes")

# Variables
GET_VARIABLE_CONFIGS = Operation("getVariableConfigs", "GET", "/variables")
GET_VARIABLE_CONFIG = Operation("getVariableConfig", "GET", "/variables/{id}")

# Organisations
CREATE_ORGANISATION = Operation("createOrganisation", "POST", "/organisations")
GET_ORGANISATION = Operation("getOrganisation", "GET", "/organisations/{id}", owner_name="name", own="id")
UPDATE_ORGANISATION = Operation("updateOrganisation", "PATCH", "/organisations/{id}", own="id")

# Team
INVITE_TEAM = Operation("inviteTeam", "POST", "/teams/invite")

# Domains
GET_DOMAINS = Operation("getDomains", "GET", "/domains")
ADD_DOMAIN = Operation("addDomain", "POST", "/domains")
REMOVE_DOMAIN = Operation("removeDomain", "POST", "/domains/remove")

# Games
GET_GAME_CONFIGS = Operation("getGameConfigs", "GET", "/game-configs")
CREATE_GAME_CONFIG = Operation("createGameConfig", "POST", "/game-configs")
GET_GAME_CONFIG = Operation("getGameConfig", "GET", "/game-configs/{id}")
UPDATE_GAME_CONFIG = Operation("updateGameConfig", "PATCH", "/game-configs/{id}")
ASSIGN_GAME_DISTRIBUTION = Operation(
    "assignGameDistribution",
    "POST",
    "/games/{gameConfigId}/distribution",
    guards=(Guard(GET_GAME_CONFIG, "path.gameConfigId"),),
)

# Webhooks
GET_WEBHOOK_CONFIGS = Operation("getWebhookConfigs", "GET", "/webhooks/configs")
PUT_WEBHOOK_CONFIGS = Operation("putWebhookConfigs", "PUT", "/webhooks/configs")
GET_WEBHOOK_LOGS = Operation("getWebhookLogs", "GET", "/webhooks/logs")

# Auth config
REVOKE_TOKEN = Operation("revokeToken", "POST", "/auth-config/tokens/{tokenId}/revoke", revokes="tokenId")

# Analytics (separate API)
GET_USER_ANALYTICS_DETAILS = Operation("getUserAnalyticsDetails", "GET", "/users/details", api="analytics")

OPERATIONS = tuple(
    each for name, each in tuple(globals().items()) if isinstance(each, Operation) and not name.startswith("_")
)
"""All of them, in the order above."""
