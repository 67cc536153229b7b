"""Which kinds of entity there are, and how each differs from the next: communities, texts, defaults."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.sandbox.store import Body

_NO_REWARDS: Body = {"points": 0, "xp": 0, "rewardSelectionMethod": "all", "rewardAllocations": []}


def _own(body: Body) -> list[str]:
    return [body["communityId"]] if body.get("communityId") else []


def _none(_body: Body) -> list[str]:
    return []


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind.

    Parameters:
        kind: its noun, and its key in the store.
        schema: component of the API document an answer is cut down to.
        communities: where its communities stand in the body.
        texts: top-level members that are kept per language.
        searched: JSON paths that `search` looks into.
        defaults: what a new one has when the request is silent.
        shared: whether those of no community are visible to a community-bound caller.
        several: whether one common community is enough to be visible.
        stamped: whether it carries createdBy and updatedBy.
    """

    kind: str
    schema: str
    communities: Callable[[Body], list[str]] = _own
    texts: tuple[str, ...] = ("details",)
    searched: tuple[str, ...] = ("$.details.title", "$.details.description")
    defaults: Mapping[str, Any] = field(default_factory=dict)
    shared: bool = True
    several: bool = False
    stamped: bool = True


COMMUNITY = Entity(
    "community",
    "Community",
    communities=lambda body: [body["id"]],
    texts=("name", "description", "bannerTitle", "bannerDescription", "bannerButtonText", "rules"),
    searched=("$.name", "$.description", "$.slug"),
    defaults={
        "communityType": "Community",
        "access": "open",
        "status": "draft",
        "verified": False,
        "featured": False,
        "tags": [],
    },
    stamped=False,
)
CHALLENGE = Entity(
    "challenge",
    "Challenge",
    defaults={
        "status": "draft",
        "progressPeriod": "open",
        "maxCompletionsPerPeriod": 1,
        "featured": False,
        "isSkippable": False,
        "isLinear": False,
        "unlockPrice": 0,
        "tags": [],
        "campaigns": [],
        "isGlobalTemplate": False,
        "numberOfActions": 0,
        "actionIds": [],
        "startedCount": 0,
        "completedCount": 0,
        "uniqueUsersStartedCount": 0,
        "uniqueUsersCompletedCount": 0,
        "rewardDistribution": _NO_REWARDS,
    },
    stamped=False,
)
CHALLENGE_GROUP = Entity(
    "challenge group",
    "ChallengeGroup",
    defaults={"status": "draft", "type": "sequential", "period": "open", "challengeIds": [], "activeAmount": 1},
    stamped=False,
)
ACTION = Entity(
    "action",
    "Action",
    texts=("details", "attributes"),
    defaults={
        "progressPeriod": "open",
        "maxCompletionsPerPeriod": 1,
        "isGlobalTemplate": False,
        "rewardDistribution": _NO_REWARDS,
    },
)
ACHIEVEMENT = Entity(
    "achievement",
    "Achievement",
    texts=("details", "queryDescriptions"),
    defaults={
        "status": "draft",
        "progressPeriod": "open",
        "displayMode": "default",
        "featured": False,
        "tags": [],
        "campaigns": [],
        "isGlobalTemplate": False,
        "rewardDistribution": _NO_REWARDS,
    },
)
REWARD = Entity(
    "reward",
    "Reward",
    texts=("details", "redemptionConfig"),
    defaults={
        "status": "draft",
        "featured": False,
        "tags": [],
        "campaigns": [],
        "isGlobalTemplate": False,
        "isManualGiveaway": False,
        "allocations": [],
    },
)
LEADERBOARD = Entity(
    "leaderboard",
    "LeaderboardConfig",
    communities=lambda body: sorted({each["communityId"] for each in body["conditions"] if each.get("communityId")}),
    texts=("name", "description"),
    searched=("$.name", "$.description"),
    defaults={"conditions": [], "rewardsConfig": []},
)
POST = Entity(
    "post",
    "Post",
    texts=("details", "content"),
    searched=("$.details.title", "$.details.description", "$.content"),
    defaults={
        "status": "draft",
        "disableComments": False,
        "disableLikes": False,
        "displayBannerOnPost": False,
        "featured": False,
        "tags": [],
        "campaigns": [],
        "isGlobalTemplate": False,
        "likes": [],
    },
)
USER = Entity(
    "user",
    "User",
    communities=lambda body: [each["communityId"] for each in body["communityData"]],
    texts=(),
    searched=("$.username", "$.displayName", "$.email"),
    defaults={"points": 0, "keys": 0, "xp": {"total": 0}, "communityData": [], "roles": [], "isAnonymous": False},
    shared=False,
    several=True,
    stamped=False,
)
TAG = Entity(
    "tag",
    "Tag",
    communities=_none,
    texts=("value",),
    searched=("$.value",),
    defaults={"config": {"filtering": [], "display": []}},
)
CAMPAIGN = Entity(
    "campaign", "Campaign", communities=_none, texts=(), searched=("$.name",), defaults={"status": "draft"}
)
VARIABLE = Entity("variable", "VariableConfig", communities=_none, texts=(), searched=("$.name", "$.label"))
GAME = Entity(
    "game",
    "GameConfig",
    communities=_none,
    defaults={
        "gameType": "catch",
        "progressPeriod": "open",
        "maxCompletionsPerPeriod": 1,
        "details": {},
        "distributions": [],
    },
    stamped=False,
)
ORGANISATION = Entity("organisation", "Organisation", communities=_none, texts=(), searched=("$.name",))
WEBHOOK_LOG = Entity("webhook log", "WebhookLog", communities=_none, texts=(), searched=("$.url", "$.errorMessage"))

REFERENCES: Mapping[str, Entity] = {
    "communityId": COMMUNITY,
    "additionalCommunityIds": COMMUNITY,
    "challengeIds": CHALLENGE,
    "rewardId": REWARD,
    "actionIds": ACTION,
    "variableConfigId": VARIABLE,
    "availableAsTemplateForOrganisations": ORGANISATION,
}
"""Members, at any depth of a request, that name entities; each must exist in the same organisation."""

TOP_REFERENCES: Mapping[str, Entity] = {"tags": TAG, "campaigns": CAMPAIGN}
"""The same, at the top level only: deeper down these words mean something else."""
