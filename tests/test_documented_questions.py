"""What the product's documentation says people ask, answered over real HTTP in at most three calls each.

Every answer is compared with what the tenant keeps, read from the tenant and through nothing of ours.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import aiohttp

from tests.support.raw_clients import Http, speaking
from tests.support.shared_stack import World


class Assistant:
    """An agent with a manager's token that counts its calls."""

    def __init__(self, world: World, http: Http) -> None:
        self._world = world
        self._http = http
        self.calls = 0

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        self.calls += 1
        heard = await self._http.call(name, arguments, headers=self._world.headers("manager"))
        assert heard.code == "ok", heard.envelope
        return heard.envelope["data"]


def kept(world: World, kind: str) -> list[dict[str, Any]]:
    """What acme keeps of a kind, newest first."""
    rows = world.local.sandbox._store.sql.execute(
        "SELECT body FROM entity WHERE kind = ? AND organisation = ? ORDER BY created DESC, id DESC",
        (kind, world.organisations["acme"]["id"]),
    )
    return [json.loads(row[0]) for row in rows]


async def history(world: World, user: str) -> list[dict[str, Any]]:
    """The challenges a user completed, asked of the tenant itself."""
    tenant = world.local.sandbox.issuer
    headers = {"authorization": f"Bearer {world.token()}", "host": f"acme.localhost:{tenant.rpartition(':')[2]}"}
    url = f"{tenant}/api/v2/analytics/users/details?userId={user}"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return [played for played in (await answer.json())["challenges"] if played["status"] == "completed"]


async def test_list_the_five_newest_challenges(world: World) -> None:
    async with speaking(world.origin) as http:
        assistant = Assistant(world, http)
        found = await assistant.call("list_challenges", {"limit": 5})
    stored = kept(world, "challenge")
    assert [one["created_at"] for one in found["items"]] == [one["createdAt"] for one in stored[:5]]
    titles = {one["id"]: one["details"]["title"] for one in stored}
    assert all(titles[one["id"]] == one["title"] for one in found["items"])
    assert found["total_count"] == len(stored)
    assert assistant.calls == 1


async def test_which_challenges_were_completed_most_this_week(world: World) -> None:
    since = (datetime.now(UTC) - timedelta(days=7)).isoformat(timespec="seconds").replace("+00:00", "Z")
    async with speaking(world.origin) as http:
        assistant = Assistant(world, http)
        report = await assistant.call("report_top_challenges", {"since": since, "top": 3})
    best = sorted(kept(world, "challenge"), key=lambda one: -one["completedCount"])[:3]
    assert [(one["id"], one["completed"]) for one in report["challenges"]] == [
        (one["id"], one["completedCount"]) for one in best
    ]
    assert [one["exact"] for one in report["challenges"]] == [one["createdAt"] >= since for one in best]
    assert "running count" in report["basis"], "the API has no count per week, and the answer must say so"
    assert assistant.calls == 1


async def test_create_three_quiz_challenges_about_space_fifty_points_each_with_a_tag(world: World) -> None:
    async with speaking(world.origin) as http:
        assistant = Assistant(world, http)
        made = [
            await assistant.call(
                "create_challenge",
                {
                    "community_id": world.organisations["acme"]["community_id"],
                    "title": title,
                    "points": 50,
                    "tags": ["Science Fans"],
                    "actions": [
                        {
                            "key": "question-multiple-choice",
                            "title": f"{title}?",
                            "options": ["yes", "no"],
                            "correct": ["yes"],
                        }
                    ],
                },
            )
            for title in ("Is Titan a moon", "Is Vega a star", "Is Ceres a dwarf planet")
        ]
    assert assistant.calls == 3
    stored = {one["id"]: one for one in kept(world, "challenge")}
    paid = {one["id"]: one["pointsToDistribute"] for one in kept(world, "distribution")}
    tag = next(one["id"] for one in kept(world, "tag") if one["value"] == "Science Fans")
    for one in made:
        (action,) = [each for each in kept(world, "action") if each["allocationId"] == one["id"]]
        assert action["key"] == "question-multiple-choice"
        assert stored[one["id"]]["tags"] == [tag]
        assert paid[one["id"]] == 50


async def test_points_handed_out_in_thirty_days_with_odd_days_flagged(world: World) -> None:
    async with speaking(world.origin) as http:
        assistant = Assistant(world, http)
        report = await assistant.call("report_points", {"days": 30})
    days: defaultdict[str, float] = defaultdict(float)
    for user in kept(world, "user"):
        for played in await history(world, user["id"]):
            days[played["completedAt"][:10]] += played["pointsEarned"]
    odd = [day for day in sorted(days) if days[day] > 3 * median(days[other] for other in days if other != day)]
    assert {day["date"]: day["points"] for day in report["days"]} == days
    assert report["unusual_days"] == odd
    assert len(odd) == 1, "the seed has one busy day"
    assert assistant.calls == 1
