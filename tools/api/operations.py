"""The tenant's API as data: every operation a tool can make, and what to read before a community-bound write.

The list equals the API document the embedded tenant serves; a test compares the two.
"""

from tools.shared.action_types import ACTION_CATEGORIES
from tools.spec import Guard, Operation

# Communities
GET_COMMUNITIES = Operation("getCommunities", "GET", "/communities")
CREATE_COMMUNITY = Operation("createCommunity", "POST", "/communities")
GET_COMMUNITY = Operation("getCommunity", "GET", "/communities/{id}")
UPDATE_COMMUNITY = Operation("updateCommunity", "POST", "/communities/{id}", guards=(Guard("getCommunity", "path.id"),))
DELETE_COMMUNITY = Operation(
    "deleteCommunity", "DELETE", "/communities/{id}", guards=(Guard("getCommunity", "path.id"),)
)

# Challenges
GET_CHALLENGES = Operation("getChallenges", "GET", "/challenges")
CREATE_CHALLENGE = Operation("createChallenge", "POST", "/challenges")
GET_CHALLENGE = Operation("getChallenge", "GET", "/challenges/{id}")
UPDATE_CHALLENGE = Operation("updateChallenge", "POST", "/challenges/{id}", guards=(Guard("getChallenge", "path.id"),))
DELETE_CHALLENGE = Operation(
    "deleteChallenge", "DELETE", "/challenges/{id}", guards=(Guard("getChallenge", "path.id"),)
)
GET_CHALLENGE_DISTRIBUTION = Operation(
    "getChallengeDistribution", "GET", "/challenges/{id}/distribution", guards=(Guard("getChallenge", "path.id"),)
)
ASSIGN_CHALLENGE_DISTRIBUTION = Operation(
    "assignChallengeDistribution",
    "POST",
    "/challenges/{id}/distribution",
    guards=(
        Guard("getChallenge", "path.id"),
        Guard("getReward", "body.rewardsConfig.allocations.*.rewardId"),
    ),
)

# Challenge groups
GET_CHALLENGE_GROUPS = Operation("getChallengeGroups", "GET", "/challenge-groups")
CREATE_CHALLENGE_GROUP = Operation(
    "createChallengeGroup", "POST", "/challenge-groups", guards=(Guard("getChallenge", "body.challengeIds.*"),)
)
GET_CHALLENGE_GROUP = Operation("getChallengeGroup", "GET", "/challenge-groups/{id}")
UPDATE_CHALLENGE_GROUP = Operation(
    "updateChallengeGroup",
    "PATCH",
    "/challenge-groups/{id}",
    guards=(
        Guard("getChallengeGroup", "path.id"),
        Guard("getChallenge", "body.challengeIds.*"),
    ),
)

# Actions
GET_ACTIONS = Operation("getActions", "GET", "/actions")
CREATE_ACTION = Operation(
    "createAction",
    "POST",
    "/actions",
    guards=(
        Guard("getChallenge", "body.allocationId", ("allocatedTo", "challenge")),
        Guard("getAchievement", "body.allocationId", ("allocatedTo", "achievement")),
    ),
)
REORDER_ACTIONS = Operation(
    "reorderActions", "PATCH", "/actions/reorder", guards=(Guard("getAction", "body.actionIds.*"),)
)
GET_ACTION = Operation("getAction", "GET", "/actions/{id}")
UPDATE_ACTION = Operation("updateAction", "POST", "/actions/{id}", guards=(Guard("getAction", "path.id"),))
DELETE_ACTION = Operation("deleteAction", "DELETE", "/actions/{id}", guards=(Guard("getAction", "path.id"),))
GET_ACTION_DISTRIBUTION = Operation(
    "getActionDistribution", "GET", "/actions/{id}/distribution", guards=(Guard("getAction", "path.id"),)
)
ASSIGN_ACTION_DISTRIBUTION = Operation(
    "assignActionDistribution",
    "POST",
    "/actions/{id}/distribution",
    guards=(
        Guard("getAction", "path.id"),
        Guard("getReward", "body.rewardsConfig.allocations.*.rewardId"),
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
        Guard("getChallenge", _SOURCE, (_EVENT, "challenge")),
        Guard("getAchievement", _SOURCE, (_EVENT, "achievement")),
        *(Guard("getAction", _SOURCE, (_EVENT, category)) for category in ACTION_CATEGORIES),
    ),
)
GET_ACHIEVEMENT = Operation("getAchievement", "GET", "/achievements/{id}")
UPDATE_ACHIEVEMENT = Operation(
    "updateAchievement", "POST", "/achievements/{id}", guards=(Guard("getAchievement", "path.id"),)
)
DELETE_ACHIEVEMENT = Operation(
    "deleteAchievement", "DELETE", "/achievements/{id}", guards=(Guard("getAchievement", "path.id"),)
)
GET_ACHIEVEMENT_DISTRIBUTION = Operation(
    "getAchievementDistribution", "GET", "/achievements/{id}/distribution", guards=(Guard("getAchievement", "path.id"),)
)
ASSIGN_ACHIEVEMENT_DISTRIBUTION = Operation(
    "assignAchievementDistribution",
    "POST",
    "/achievements/{id}/distribution",
    guards=(
        Guard("getAchievement", "path.id"),
        Guard("getReward", "body.rewardsConfig.allocations.*.rewardId"),
    ),
)

# Rewards
GET_REWARDS = Operation("getRewards", "GET", "/rewards")
CREATE_REWARD = Operation("createReward", "POST", "/rewards")
PROCESS_MANUAL_DISTRIBUTION = Operation(
    "processManualDistribution",
    "POST",
    "/rewards/manual-distribution",
    guards=(Guard("getReward", "body.rewards.*.rewardId"),),
)
GET_REWARD = Operation("getReward", "GET", "/rewards/{id}")
UPDATE_REWARD = Operation("updateReward", "POST", "/rewards/{id}", guards=(Guard("getReward", "path.id"),))
DELETE_REWARD = Operation("deleteReward", "DELETE", "/rewards/{id}", guards=(Guard("getReward", "path.id"),))
PROCESS_GIVEAWAY = Operation(
    "processGiveaway", "POST", "/rewards/{id}/process-giveaway", guards=(Guard("getReward", "path.id"),)
)

# Leaderboards
CREATE_LEADERBOARD = Operation("createLeaderboard", "POST", "/leaderboards")
GET_LEADERBOARD_CONFIGS = Operation("getLeaderboardConfigs", "GET", "/leaderboards/configs")
GET_LEADERBOARD_CONFIG = Operation("getLeaderboardConfig", "GET", "/leaderboards/configs/{id}")
UPDATE_LEADERBOARD_CONFIG = Operation(
    "updateLeaderboardConfig", "PATCH", "/leaderboards/configs/{id}", guards=(Guard("getLeaderboardConfig", "path.id"),)
)
GET_LEADERBOARD_DISTRIBUTION = Operation(
    "getLeaderboardDistribution",
    "GET",
    "/leaderboards/{leaderboardConfigId}/distribution",
    guards=(Guard("getLeaderboardConfig", "path.leaderboardConfigId"),),
)
ASSIGN_LEADERBOARD_DISTRIBUTION = Operation(
    "assignLeaderboardDistribution",
    "POST",
    "/leaderboards/{leaderboardConfigId}/distribution",
    guards=(
        Guard("getLeaderboardConfig", "path.leaderboardConfigId"),
        Guard("getReward", "body.rewards.*.rewardsConfig.allocations.*.rewardId"),
    ),
)

# Posts
GET_POSTS = Operation("getPosts", "GET", "/posts")
CREATE_POST = Operation("createPost", "POST", "/posts")
GET_POST = Operation("getPost", "GET", "/posts/{id}")
UPDATE_POST = Operation("updatePost", "POST", "/posts/{id}", guards=(Guard("getPost", "path.id"),))
DELETE_POST = Operation("deletePost", "DELETE", "/posts/{id}", guards=(Guard("getPost", "path.id"),))

# Templates
GET_ACHIEVEMENT_TEMPLATES = Operation("getAchievementTemplates", "GET", "/templates/achievements")
GET_ACTION_TEMPLATES = Operation("getActionTemplates", "GET", "/templates/actions")
GET_CHALLENGE_TEMPLATES = Operation("getChallengeTemplates", "GET", "/templates/challenges")
GET_POST_TEMPLATES = Operation("getPostTemplates", "GET", "/templates/posts")
GET_REWARD_TEMPLATES = Operation("getRewardTemplates", "GET", "/templates/rewards")
GET_COMMUNITY_TEMPLATES = Operation("getCommunityTemplates", "GET", "/templates/communities")

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
GET_ORGANISATION = Operation("getOrganisation", "GET", "/organisations/{id}", owner_name="name")
UPDATE_ORGANISATION = Operation("updateOrganisation", "PATCH", "/organisations/{id}")

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
    guards=(Guard("getGameConfig", "path.gameConfigId"),),
)

# Webhooks
GET_WEBHOOK_CONFIGS = Operation("getWebhookConfigs", "GET", "/webhooks/configs")
PUT_WEBHOOK_CONFIGS = Operation("putWebhookConfigs", "PUT", "/webhooks/configs")
GET_WEBHOOK_LOGS = Operation("getWebhookLogs", "GET", "/webhooks/logs")

# Auth config
REVOKE_TOKEN = Operation("revokeToken", "POST", "/auth-config/tokens/{tokenId}/revoke")

# Analytics (separate API)
GET_USER_ANALYTICS_DETAILS = Operation("getUserAnalyticsDetails", "GET", "/users/details", api="analytics")

OPERATIONS = tuple(each for each in tuple(globals().values()) if isinstance(each, Operation))
"""All of them, in the order above."""

BY_ID = {operation.id: operation for operation in OPERATIONS}
