"""Believable data for two organisations, the same on every start; only the dates follow the calendar."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
    Entity,
)
from server.sandbox.store import Body, Store

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


def plant(store: Store, port: int) -> list[Planted]:
    """Fill a new database; leave one that has data as it is."""
    stories = [
        json.loads(resources.files("server.sandbox").joinpath("stories", f"{name}.json").read_bytes())
        for name in _STORIES
    ]
    if store.sql.execute("SELECT count(*) FROM organisation").fetchone()[0] == 0:
        with store.transaction():
            for story in stories:
                _Garden(store, story, port).plant()
    return [_planted(story) for story in stories]


def object_id(*names: object) -> str:
    """A 24-hex id that depends on the names alone."""
    return hashlib.sha256(":".join(map(str, names)).encode()).hexdigest()[:24]


def _planted(story: Mapping[str, Any]) -> Planted:
    key = object_id("organisation", story["slug"])
    return Planted(key, story["slug"], story["name"], object_id(key, COMMUNITY.kind, 0))


class _Garden:
    """One organisation while it is being filled."""

    def __init__(self, store: Store, story: Mapping[str, Any], port: int) -> None:
        self._store = store
        self._story = story
        self._port = port
        self._key = object_id("organisation", story["slug"])
        self._today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self._author = self._id(USER, 0)

    def plant(self) -> None:
        self._store.sql.execute("INSERT INTO organisation VALUES (?, ?)", (self._key, self._story["slug"]))
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
        self._put(ORGANISATION, {**own, "id": self._key}, 900)
        host = f"{self._story['slug']}.localhost:{self._port}"
        colours = {"primary": self._story["primary"], "primaryForeground": "#ffffff"}
        self._put_one(
            "theme",
            {
                "theme": {
                    "font": {"family": "Inter"},
                    "borderRadius": "8px",
                    "colors": {"light": colours, "dark": colours},
                }
            },
        )
        self._put_one(
            "domains", {"apiDomain": f"api.{host}", "userDomain": host, "customDomains": [self._story["domain"]]}
        )
        hook = {"events": ["challenge-completion", "reward-distribution"], "url": self._story["webhook"]}
        self._put_one("webhooks", {"configs": [{**hook, "httpMethod": "POST", "isEnabled": True, "maxRetries": 3}]})

    def _plant_communities(self) -> None:
        for number, (name, slug, text, kind) in enumerate(self._story["communities"]):
            body = {"name": name, "slug": slug, "description": text, "communityType": kind, "status": "live"}
            more = {"verified": True, "featured": number == 0, "isGlobalTemplate": number == 1}
            self._put(COMMUNITY, {**body, **more, "id": self._id(COMMUNITY, number)}, 600 - number * 40)

    def _plant_labels(self) -> None:
        for number, value in enumerate(self._story["tags"]):
            config = {"filtering": ["challenge", "reward"], "display": ["challenge"]}
            self._put(TAG, {"id": self._id(TAG, number), "value": value, "config": config}, 500 - number)
        for number, name in enumerate(self._story["campaigns"]):
            start = 20 - number * 60
            dates = {"startDate": self._moment(start), "endDate": self._moment(start - 45)}
            self._put(
                CAMPAIGN, {"id": self._id(CAMPAIGN, number), "name": name, "status": "live", **dates}, 90 + number
            )

    def _plant_challenge(self, number: int, title: str, text: str, community: int) -> None:
        key = self._id(CHALLENGE, number)
        started = self._number(40, 900, "started", number)
        completed = started * self._number(25, 90, "completed", number) // 100
        points = 10 * self._number(1, 15, "points", number)
        actions = [self._action(key, number, each, community) for each in range(1 + number % 3)]
        tags = [self._id(TAG, number % len(self._story["tags"])), *([self._id(TAG, 0)] if number % 4 == 0 else [])]
        body = {
            "id": key,
            "communityId": self._id(COMMUNITY, community),
            "details": {"title": title, "description": text},
            "status": _STATUSES[self._number(0, 7, "status", number)],
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
        self._put(CHALLENGE, body, 3 + number * 5)
        self._put_distribution(key, points)
        for action in actions:
            self._put(ACTION, action, 3 + number * 5)

    def _action(self, challenge: str, number: int, position: int, community: int) -> Body:
        kind = _KEYS[(number + position) % len(_KEYS)]
        question, answers = self._story["questions"][(number + position) % len(self._story["questions"])]
        options = [{"id": str(each), "label": label} for each, label in enumerate(answers)]
        choice = {"options": options, "correctAnswers": ["0"], "minimumNumberOfAnswersRequired": 1}
        return {
            "id": self._id(ACTION, f"{number}.{position}"),
            "communityId": self._id(COMMUNITY, community),
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
                "communityId": self._id(COMMUNITY, number % 2),
                "details": {"title": title, "description": text},
                "status": "live",
                "criteria": {"type": "count", "parameters": count},
                "queries": [{"type": "event", "alias": "completed", "parameters": event}],
                "isGlobalTemplate": number == 0,
            }
            key = self._id(ACHIEVEMENT, number)
            self._put(ACHIEVEMENT, {**body, "id": key}, 120 + number)
            self._put_distribution(key, threshold * 20)

    def _plant_rewards(self) -> None:
        for number, (title, text, supply, given, price) in enumerate(self._story["rewards"]):
            allocation = {"id": self._id(REWARD, f"{number}.stock"), "allocationType": "assets", "supply": supply}
            body = {
                "id": self._id(REWARD, number),
                "communityId": self._id(COMMUNITY, number % 2),
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
            self._put(REWARD, body, 60 + number * 3)

    def _plant_posts_and_boards(self) -> None:
        for number, (title, html, community) in enumerate(self._story["posts"]):
            where = {"id": self._id(POST, number), "communityId": self._id(COMMUNITY, community)}
            likes = [self._id(USER, each) for each in range(self._number(0, 9, "likes", number))]
            body = {
                "details": {"title": title},
                "content": html,
                "status": "live",
                "likes": likes,
                "isGlobalTemplate": number == 1,
            }
            self._put(POST, {**where, **body}, 2 + number * 9)
        for number, (name, metric, period, community) in enumerate(self._story["leaderboards"]):
            conditions = [{"type": "community", "communityId": self._id(COMMUNITY, community)}]
            body = {"name": name, "metricType": metric, "period": period, "conditions": conditions, "status": "live"}
            self._put(
                LEADERBOARD, {**body, "id": self._id(LEADERBOARD, number), "startsAt": self._moment(200)}, 200 + number
            )
        for number in range(len(self._story["communities"])):
            own = [each for each, told in enumerate(self._story["challenges"]) if told[2] == number]
            body = {
                "communityId": self._id(COMMUNITY, number),
                "details": {"title": f"{self._story['communities'][number][0]}: the classics"},
                "challengeIds": [self._id(CHALLENGE, each) for each in own[:4]],
                "status": "live",
            }
            self._put(CHALLENGE_GROUP, {**body, "id": self._id(CHALLENGE_GROUP, number)}, 80 + number)

    def _plant_users(self) -> None:
        for number, (name, shown, bio) in enumerate(self._story["users"]):
            data = [self._membership(number, each) for each in {0, number % len(self._story["communities"])}]
            body = {
                "id": self._id(USER, number),
                "username": name,
                "displayName": shown,
                "bio": bio,
                "email": f"{name}@{self._story['slug']}.example",
                "points": sum(each["points"] for each in data),
                "keys": number % 4,
                "xp": {"total": sum(each["xp"]["total"] for each in data), "knowledge": 10 * number},
                "communityData": data,
                "roles": [f"orgId-{self._key}:role-viewer"],
            }
            self._put(USER, body, 10 + number * 11)

    def _membership(self, user: int, community: int) -> Body:
        points = self._number(0, 80, "earned", user, community) * 10
        return {
            "communityId": self._id(COMMUNITY, community),
            "challengesCompleted": self._number(0, 6, "done", user, community),
            "achievementsCompleted": self._number(0, 2, "achieved", user, community),
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
            self._put(VARIABLE, {**body, **flags, "id": self._id(VARIABLE, number)}, 300 + number)
        for number, (title, kind) in enumerate(self._story["games"]):
            body = {"details": {"title": title}, "gameType": kind, "config": {"seconds": 30, "lives": 3}}
            self._put(GAME, {**body, "id": self._id(GAME, number)}, 150 + number)
        for number in range(12):
            failed = number % 5 == 3
            body = {
                "id": self._id(WEBHOOK_LOG, number),
                "webhookConfigId": object_id(self._key, "webhook"),
                "eventSubCategory": "challenge-completion" if number % 2 else "reward-distribution",
                "url": self._story["webhook"],
                "httpMethod": "POST",
                "responseStatus": 503 if failed else 200,
                "attempt": 2 if failed else 1,
                "success": not failed,
                "errorMessage": "Service Unavailable" if failed else None,
            }
            self._put(WEBHOOK_LOG, body, number)

    def _put(self, entity: Entity, given: Body, days_ago: int) -> None:
        moment = self._moment(days_ago)
        stamps = {"createdAt": moment, "updatedAt": moment, "createdBy": self._author, "updatedBy": self._author}
        body = {**entity.defaults, "organisationId": self._key, **stamps, **given}
        self._store.put(self._key, entity.kind, body, entity.communities(body))

    def _put_one(self, kind: str, given: Body) -> None:
        self._store.put(self._key, kind, {**given, "id": self._key}, [])

    def _put_distribution(self, owner: str, points: int) -> None:
        config = {"mechanism": "all", "amountToDistribute": 0, "allocations": []}
        body = {"id": owner, "pointsToDistribute": points, "bonusXpToDistribute": points // 2, "rewardsConfig": config}
        self._store.put(self._key, "distribution", body, [])

    def _id(self, entity: Entity, number: object) -> str:
        return object_id(self._key, entity.kind, number)

    def _number(self, low: int, high: int, *names: object) -> int:
        return low + int(object_id(self._key, "number", *names)[:8], 16) % (high - low + 1)

    def _moment(self, days_ago: float) -> str:
        moment = self._today - timedelta(days=days_ago, hours=9)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
