"""Every operation of the document is served, and answers as the document says."""

from typing import Any

import pytest

from server.sandbox.endpoints import ENDPOINTS
from tests.support.sandbox_client import Tenants, refusal

NOBODY = "f" * 24
ALLOCATIONS = {"mechanism": "random", "amountToDistribute": 1, "allocations": []}
PRIZE = {"pointsToDistribute": 50, "bonusXpToDistribute": 5, "rewardsConfig": ALLOCATIONS}
WHEN = {"startDate": "2026-12-01T00:00:00Z", "endDate": "2026-12-24T18:00:00+01:00"}


def bodies(ids: dict[str, str]) -> dict[str, Any]:
    """A request body for each operation that takes one."""
    community = {"communityId": ids["communities"], "details": {"title": "New"}}
    title = {"details": {"title": "Changed"}}
    return {
        "createCommunity": {"name": "New", "slug": "new"},
        "updateCommunity": {"name": "Changed"},
        "createChallenge": {**community, "tags": [ids["tags"]]},
        "updateChallenge": title,
        "assignChallengeDistribution": PRIZE,
        "createChallengeGroup": {**community, "challengeIds": [ids["challenges"]]},
        "updateChallengeGroup": {"activeAmount": 2},
        "createAction": {
            "communityId": ids["communities"],
            "allocationId": ids["challenges"],
            "allocatedTo": "challenge",
            "category": "nudj",
            "key": "question-open-ended",
            "attributes": {"question": "Why?"},
        },
        "updateAction": title,
        "assignActionDistribution": PRIZE,
        "createAchievement": community,
        "updateAchievement": title,
        "assignAchievementDistribution": PRIZE,
        "createReward": {
            **community,
            "allocationsType": "assets-only",
            "redemptionConfig": {"type": "rich-text"},
            "allocations": [{"supply": 5}],
        },
        "updateReward": {"allocations": [{"supply": 9}]},
        "processManualDistribution": {
            "rewards": [{"rewardId": ids["rewards"], "allocationType": "assets", "quantity": 1}],
            "xpToDistribute": 5,
            "pointsToDistribute": 10,
            "distributionMechanism": "all",
            "amountToDistribute": 1,
            "userIds": [ids["users"], NOBODY],
            "communityId": ids["communities"],
        },
        "processGiveaway": {"winners": [{"userId": ids["users"], "quantity": 1}]},
        "createLeaderboard": {
            "name": "New",
            "metricType": "total-xp",
            "startsAt": "2026-12-01T00:00:00Z",
            "status": "draft",
            "period": "weekly",
        },
        "updateLeaderboardConfig": {"name": "Changed"},
        "assignLeaderboardDistribution": {"rewards": [{**PRIZE, "startRank": 1, "endRank": 3}]},
        "createPost": community,
        "updatePost": {"content": "<p>Changed</p>"},
        "createUser": {"email": "new@acme.example"},
        "createTag": {"value": "New"},
        "updateTag": {"value": "Changed"},
        "createCampaign": {"name": "New", **WHEN},
        "updateCampaign": {"status": "live"},
        "updateTheme": {"theme": {"borderRadius": "2px"}},
        "createOrganisation": {
            "name": "Initech",
            "slug": "initech",
            "language": "en",
            "timezone": "UTC",
            "location": "US",
            "emails": ["bill@initech.example"],
        },
        "updateOrganisation": {"name": "Changed"},
        "inviteTeam": {"emails": ["one@acme.example", "one@acme.example"]},
        "addDomain": {"domain": "new.acme.example"},
        "removeDomain": {"domain": "new.acme.example"},
        "createGameConfig": {"gameType": "catch", "config": {"lives": 3}},
        "updateGameConfig": title,
        "assignGameDistribution": {"distributions": [PRIZE]},
        "putWebhookConfigs": {"configs": [{"events": ["challenge-completion"], "url": "https://acme.example/hook"}]},
    }


async def known_ids(tenants: Tenants) -> dict[str, str]:
    """The id of one entity per collection."""
    paths = ("communities", "challenges", "challenge-groups", "actions", "achievements", "posts", "users", "tags")
    more = ("campaigns", "variables", "game-configs", "leaderboards/configs")
    ids = {path: (await tenants.first(f"/{path}"))["id"] for path in (*paths, *more)}
    rewards = (await tenants.get("/rewards?limit=100"))["edges"]
    ids["rewards"] = next(each["id"] for each in rewards if each["details"]["title"] == "Dinosaur Plush")
    ids["giveaway"] = next(each["id"] for each in rewards if each["isManualGiveaway"])
    own = tenants.sandbox.organisations["acme"]
    return {**ids, "organisations": own.id, "communities": own.community_id}


def concrete(path: str, operation: str, ids: dict[str, str]) -> str:
    """The path of an operation with real ids in it."""
    collection = path.removeprefix("/").partition("/{")[0]
    own = {"leaderboards": "leaderboards/configs", "games": "game-configs"}.get(collection, collection)
    key = ids["giveaway"] if operation == "processGiveaway" else ids.get(own, "")
    for name in ("{id}", "{leaderboardConfigId}", "{gameConfigId}"):
        path = path.replace(name, key)
    return path


async def test_all_88_operations_answer_as_the_document_describes() -> None:
    tenants = Tenants()
    ids = await known_ids(tenants)
    tenants.sandbox.mint("acme", token_id="to-revoke")
    sent = bodies(ids)
    operations = sorted(
        tenants.sandbox.document.operations,
        key=lambda each: (each.method == "DELETE", each.id == "deleteCommunity", each.id),
    )
    for operation in operations:
        path = operation.path.removeprefix("/api/v2/admin").removeprefix("/api/v2/analytics")
        body = sent.pop(operation.id, None)
        path = concrete(path, operation.id, ids).replace("{tokenId}", "to-revoke")
        if operation.id == "getUserAnalyticsDetails":
            path += f"?userId={ids['users']}"
        if operation.id == "reorderActions":
            actions = (await tenants.get(f"/actions?allocationId={ids['challenges']}"))["edges"]
            body = {"allocationId": ids["challenges"], "actionIds": [each["id"] for each in actions]}
        answer = await tenants.ask(operation.method, path, body)
        assert answer.status_code == 200, (operation.id, answer.text)
        assert tenants.sandbox.document.answer_errors(operation, answer.json()) == [], operation.id
    assert len(operations) == len(ENDPOINTS) == 88
    assert sent == {}


async def test_no_operation_answers_without_a_token_and_each_names_itself() -> None:
    tenants = Tenants()
    for operation in tenants.sandbox.document.operations:
        base = tenants.sandbox.organisations["acme"].api_domain.removesuffix("/api/v2/admin")
        answer = await tenants.http.request(operation.method, base + operation.path)
        assert refusal(answer) == (401, "UNAUTHORIZED", operation.id)


async def test_ids_of_the_other_organisation_are_absent_for_every_operation_that_takes_one() -> None:
    tenants = Tenants()
    foreign = await known_ids(tenants)
    for operation in tenants.sandbox.document.operations:
        path = operation.path.removeprefix("/api/v2/admin")
        if "{" not in path or "{tokenId}" in path:
            continue
        body = bodies(foreign).get(operation.id)
        answer = await tenants.ask(operation.method, concrete(path, operation.id, foreign), body, organisation="globex")
        assert refusal(answer) == (404, "NOT_FOUND", operation.id)


@pytest.mark.parametrize(
    ("path", "body", "complaint"),
    [
        ("/challenges", {"details": {"title": "x"}}, "body.communityId: Required"),
        ("/challenges", {"communityId": NOBODY, "details": {"title": 1}}, "body.details.title: Expected string"),
        ("/challenges", {"communityId": "../x", "details": {"title": "x"}}, "body.communityId: Invalid"),
        ("/tags", {"value": "x", "colour": "red"}, "body: Unrecognized key(s): colour"),
        ("/tags", {"value": ""}, "body.value: Invalid"),
        ("/tags", [], "body: Expected object, received array"),
        (
            "/campaigns",
            {"name": "x", "startDate": "soon", "endDate": "later"},
            "body.endDate: Invalid (format date-time)",
        ),
        ("/communities", {"name": "x", "slug": "x", "status": "on"}, "body.status: Invalid enum value"),
    ],
)
async def test_a_wrong_body_is_refused_with_the_member_named(path: str, body: Any, complaint: str) -> None:
    answer = await Tenants().ask("POST", path, body)
    assert refusal(answer)[:2] == (400, "BAD_REQUEST")
    assert complaint in answer.json()["message"]


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("limit=0", "query.limit"),
        ("limit=101", "query.limit"),
        ("limit=ten", "query.limit"),
        ("skip=-1", "query.skip"),
        ("limit=1&limit=2", "query.limit: Given twice"),
        ("colour=red", "query.colour: Unrecognized key"),
        ("sort=createdAt;drop", "query.sort"),
        ("communityId=x", "query.communityId"),
        ("status=on", "query.status"),
        ("fromDate=yesterday", "query.fromDate"),
    ],
)
async def test_a_wrong_query_is_refused_with_the_parameter_named(query: str, complaint: str) -> None:
    answer = await Tenants().ask("GET", f"/challenges?{query}")
    assert refusal(answer) == (400, "BAD_REQUEST", "getChallenges")
    assert complaint in answer.json()["message"]
