"""Believable data for two organisations, the same on every start; only the dates follow the calendar."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

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
from server.sandbox.seed_builder import SeedBuilder, build_object_id, build_organisation_id
from server.sandbox.store import Body, EntityStore

_STORIES = ("acme", "globex")
_STATUSES = ("live", "live", "live", "live", "draft", "scheduled", "expired", "archived")
_KEYS = ("question-multiple-choice", "interaction-external-link", "question-open-ended", "interaction-image-upload")


@dataclass(frozen=True, slots=True)
class Planted:
    """One organisation of the seed; `community` is the one that community-bound test tokens are for."""

    id: str
    slug: str
    name: str
    community: str


def plant(store: EntityStore, port: int) -> list[Planted]:
    """Fill a new database; leave one that has data as it is."""
    files = resources.files("server.sandbox").joinpath("stories")
    stories = [json.loads(files.joinpath(f"{name}.json").read_bytes()) for name in _STORIES]
    if store.sql.execute("SELECT count(*) FROM organisation").fetchone()[0] == 0:
        with store.transaction():
            for story in stories:
                slug = story["slug"]
                store.sql.execute("INSERT INTO organisation VALUES (?, ?)", (build_organisation_id(slug), slug))
                _Story(store, story, port).plant()
    return [_build_planted(story) for story in stories]


def _build_planted(story: Mapping[str, Any]) -> Planted:
    key = build_organisation_id(story["slug"])
    return Planted(key, story["slug"], story["name"], build_object_id(key, COMMUNITY.kind, 0))


class _Story:
    """What is planted, read from one of the story files."""

    def __init__(self, store: EntityStore, story: Mapping[str, Any], port: int) -> None:
        self._bed = SeedBuilder(store, story["slug"])
        self._story = story
        self._port = port

    def plant(self) -> None:
        self._plant_organisation()
        self._plant_communities()
        self._plant_labels()
        for number, told in enumerate(self._story["challenges"]):
            self._plant_challenge(number, *told)
        self._plant_achievements()
        self._plant_rewards()
        self._plant_posts_and_boards()
        self._plant_users()
        self._plant_rest()

    def _plant_organisation(self) -> None:
        own = {name: self._story[name] for name in ("name", "language", "timezone", "location")}
        self._bed.put(ORGANISATION, {**own, "id": self._bed.key}, 900)
        host = f"{self._story['slug']}.localhost:{self._port}"
        colours = {"primary": self._story["primary"], "primaryForeground": "#ffffff"}
        self._bed.put_one(
            "theme",
            {
                "theme": {
                    "font": {"family": "Inter"},
                    "borderRadius": "8px",
                    "colors": {"light": colours, "dark": colours},
                }
            },
        )
        self._bed.put_one(
            "domains", {"apiDomain": f"api.{host}", "userDomain": host, "customDomains": [self._story["domain"]]}
        )
        hook = {"events": ["challenge-completion", "reward-distribution"], "url": self._story["webhook"]}
        self._bed.put_one("webhooks", {"configs": [{**hook, "httpMethod": "POST", "isEnabled": True, "maxRetries": 3}]})

    def _plant_communities(self) -> None:
        for number, (name, slug, text, kind) in enumerate(self._story["communities"]):
            body = {"name": name, "slug": slug, "description": text, "communityType": kind, "status": "live"}
            more = {"verified": True, "featured": number == 0, "isGlobalTemplate": number == 1}
            self._bed.put(COMMUNITY, {**body, **more, "id": self._bed.id(COMMUNITY, number)}, 600 - number * 40)

    def _plant_labels(self) -> None:
        for number, value in enumerate(self._story["tags"]):
            config = {"filtering": ["challenge", "reward"], "display": ["challenge"]}
            self._bed.put(TAG, {"id": self._bed.id(TAG, number), "value": value, "config": config}, 500 - number)
        for number, name in enumerate(self._story["campaigns"]):
            start = 20 - number * 60
            dates = {"startDate": self._bed.moment(start), "endDate": self._bed.moment(start - 45)}
            self._bed.put(
                CAMPAIGN, {"id": self._bed.id(CAMPAIGN, number), "name": name, "status": "live", **dates}, 90 + number
            )

    def _plant_challenge(self, number: int, title: str, text: str, community: int) -> None:
        key = self._bed.id(CHALLENGE, number)
        started = self._bed.number(40, 900, "started", number)
        completed = started * self._bed.number(25, 90, "completed", number) // 100
        points = 10 * self._bed.number(1, 15, "points", number)
        actions = [self._action(key, number, each, community) for each in range(1 + number % 3)]
        tags = [
            self._bed.id(TAG, number % len(self._story["tags"])),
            *([self._bed.id(TAG, 0)] if number % 4 == 0 else []),
        ]
        body = {
            "id": key,
            "communityId": self._bed.id(COMMUNITY, community),
            "details": {"title": title, "description": text},
            "status": _STATUSES[self._bed.number(0, 7, "status", number)],
            "tags": sorted(set(tags)),
            "numberOfActions": len(actions),
            "actionIds": [each["id"] for each in actions],
            "startedCount": started,
            "completedCount": completed,
            "uniqueUsersStartedCount": started * 9 // 10,
            "uniqueUsersCompletedCount": completed * 9 // 10,
            "isGlobalTemplate": number % 11 == 10,
            "rewardDistribution": {
                "points": points,
                "xp": points // 2,
                "rewardSelectionMethod": "all",
                "rewardAllocations": [],
                "numberOfRewardsToReceive": 0,
            },
        }
        self._bed.put(CHALLENGE, body, 3 + number * 5)
        self._bed.put_distribution(key, points)
        for action in actions:
            self._bed.put(ACTION, action, 3 + number * 5)

    def _action(self, challenge: str, number: int, position: int, community: int) -> Body:
        kind = _KEYS[(number + position) % len(_KEYS)]
        question, answers = self._story["questions"][(number + position) % len(self._story["questions"])]
        options = [{"id": str(each), "label": label} for each, label in enumerate(answers)]
        choice = {"options": options, "correctAnswers": ["0"], "minimumNumberOfAnswersRequired": 1}
        return {
            "id": self._bed.id(ACTION, f"{number}.{position}"),
            "communityId": self._bed.id(COMMUNITY, community),
            "allocationId": challenge,
            "allocatedTo": "challenge",
            "position": position,
            "category": "nudj",
            "key": kind,
            "details": {"title": question},
            "attributes": {"key": kind, "question": question, **(choice if position == 0 and kind == _KEYS[0] else {})},
            "isGlobalTemplate": number == 0 and position == 0,
        }

    def _plant_achievements(self) -> None:
        for number, (title, text, threshold) in enumerate(self._story["achievements"]):
            count = {"query": "completed", "operator": ">=", "attribute": "count", "value": threshold}
            event = {"eventName": "challenge-completion", "eventCategory": "challenge", "tags": []}
            body = {
                "communityId": self._bed.id(COMMUNITY, number % 2),
                "details": {"title": title, "description": text},
                "status": "live",
                "criteria": {"type": "count", "parameters": count},
                "queries": [{"type": "event", "alias": "completed", "parameters": event}],
                "isGlobalTemplate": number == 0,
            }
            key = self._bed.id(ACHIEVEMENT, number)
            self._bed.put(ACHIEVEMENT, {**body, "id": key}, 120 + number)
            self._bed.put_distribution(key, threshold * 20)

    def _plant_rewards(self) -> None:
        for number, (title, text, supply, given, price) in enumerate(self._story["rewards"]):
            allocation = {"id": self._bed.id(REWARD, f"{number}.stock"), "allocationType": "assets", "supply": supply}
            body = {
                "id": self._bed.id(REWARD, number),
                "communityId": self._bed.id(COMMUNITY, number % 2),
                "details": {"title": title, "description": text},
                "status": "live",
                "assetPointsPrice": price,
                "assetsSupply": supply,
                "maxAssetsPerUser": 1,
                "allocationsType": "assets-only",
                "redemptionConfig": {
                    "type": "rich-text",
                    "content": "<p>Show this at the desk.</p>",
                    "autoRedeem": False,
                },
                "isManualGiveaway": price == 0,
                "isGlobalTemplate": number == 3,
                "allocations": [
                    {**allocation, "amountToDistribute": 1, "distributed": given, "isShop": price > 0, "isLive": True}
                ],
            }
            self._bed.put(REWARD, body, 60 + number * 3)

    def _plant_posts_and_boards(self) -> None:
        for number, (title, html, community) in enumerate(self._story["posts"]):
            where = {"id": self._bed.id(POST, number), "communityId": self._bed.id(COMMUNITY, community)}
            likes = [self._bed.id(USER, each) for each in range(self._bed.number(0, 9, "likes", number))]
            body = {
                "details": {"title": title},
                "content": html,
                "status": "live",
                "likes": likes,
                "isGlobalTemplate": number == 1,
            }
            self._bed.put(POST, {**where, **body}, 2 + number * 9)
        for number, (name, metric, period, community) in enumerate(self._story["leaderboards"]):
            conditions = [{"type": "community", "communityId": self._bed.id(COMMUNITY, community)}]
            body = {"name": name, "metricType": metric, "period": period, "conditions": conditions, "status": "live"}
            self._bed.put(
                LEADERBOARD,
                {**body, "id": self._bed.id(LEADERBOARD, number), "startsAt": self._bed.moment(200)},
                200 + number,
            )
        for number in range(len(self._story["communities"])):
            own = [each for each, told in enumerate(self._story["challenges"]) if told[2] == number]
            body = {
                "communityId": self._bed.id(COMMUNITY, number),
                "details": {"title": f"{self._story['communities'][number][0]}: the classics"},
                "challengeIds": [self._bed.id(CHALLENGE, each) for each in own[:4]],
                "status": "live",
            }
            self._bed.put(CHALLENGE_GROUP, {**body, "id": self._bed.id(CHALLENGE_GROUP, number)}, 80 + number)

    def _plant_users(self) -> None:
        for number, (name, shown, bio) in enumerate(self._story["users"]):
            data = [self._membership(number, each) for each in {0, number % len(self._story["communities"])}]
            body = {
                "id": self._bed.id(USER, number),
                "username": name,
                "displayName": shown,
                "bio": bio,
                "email": f"{name}@{self._story['slug']}.example",
                "points": sum(each["points"] for each in data),
                "keys": number % 4,
                "xp": {"total": sum(each["xp"]["total"] for each in data), "knowledge": 10 * number},
                "communityData": data,
                "roles": [f"orgId-{self._bed.key}:role-viewer"],
            }
            self._bed.put(USER, body, 10 + number * 11)

    def _membership(self, user: int, community: int) -> Body:
        points = self._bed.number(0, 80, "earned", user, community) * 10
        return {
            "communityId": self._bed.id(COMMUNITY, community),
            "challengesCompleted": self._bed.number(0, 6, "done", user, community),
            "achievementsCompleted": self._bed.number(0, 2, "achieved", user, community),
            "points": points,
            "xp": {"total": points // 2},
            "hasAcceptedRules": True,
        }

    def _plant_rest(self) -> None:
        for number, (name, label, kind) in enumerate(self._story["variables"]):
            flags = dict.fromkeys(("useDefaultProfileValue", "isSingleOutputPerUser", "isImmutable"), False)
            body = {
                "name": name,
                "label": label,
                "type": kind,
                "availableInQuestionBank": True,
                "maxValueOccurrences": 1,
            }
            self._bed.put(VARIABLE, {**body, **flags, "id": self._bed.id(VARIABLE, number)}, 300 + number)
        for number, (title, kind) in enumerate(self._story["games"]):
            body = {"details": {"title": title}, "gameType": kind, "config": {"seconds": 30, "lives": 3}}
            self._bed.put(GAME, {**body, "id": self._bed.id(GAME, number)}, 150 + number)
        for number in range(12):
            failed = number % 5 == 3
            body = {
                "id": self._bed.id(WEBHOOK_LOG, number),
                "webhookConfigId": build_object_id(self._bed.key, "webhook"),
                "eventSubCategory": "challenge-completion" if number % 2 else "reward-distribution",
                "url": self._story["webhook"],
                "httpMethod": "POST",
                "responseStatus": 503 if failed else 200,
                "attempt": 2 if failed else 1,
                "success": not failed,
                "errorMessage": "Service Unavailable" if failed else None,
            }
            self._bed.put(WEBHOOK_LOG, body, number)
