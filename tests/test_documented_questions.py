"""What the product's documentation says people ask, answered over real HTTP in at most three calls each."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.speakers import Http, speaking
from tests.world import World


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


async def test_list_the_five_newest_challenges(world: World) -> None:
    async with speaking(world.origin) as http:
        assistant = Assistant(world, http)
        found = await assistant.call("list_challenges", {"limit": 5})
        assert len(found["items"]) == 5
        everything = await assistant.call("list_challenges", {"limit": 100})
        assert found["items"] == everything["items"][:5]
        assert assistant.calls <= 3


async def test_which_challenges_were_completed_most_this_week(world: World) -> None:
    async with speaking(world.origin) as http:
        assistant = Assistant(world, http)
        since = (datetime.now(UTC) - timedelta(days=7)).isoformat(timespec="seconds").replace("+00:00", "Z")
        report = await assistant.call("report_top_challenges", {"since": since, "top": 3})
        counts = [one["completed"] for one in report["challenges"]]
        assert len(counts) == 3
        assert counts == sorted(counts, reverse=True)
        assert report["basis"], "the API keeps running totals only, and the answer must say so"
        assert assistant.calls <= 3


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
        for one in made:
            seen = await assistant.call("get_challenge", {"id": one["id"]})
            assert seen["number_of_actions"] == 1
            paid = await assistant.call("get_distribution", {"owner_type": "challenge", "owner_id": one["id"]})
            assert paid["prizes"][0]["points"] == 50
            assert len(seen["tags"]) == 1


async def test_points_handed_out_in_thirty_days_with_odd_days_flagged(world: World) -> None:
    async with speaking(world.origin) as http:
        assistant = Assistant(world, http)
        report = await assistant.call("report_points", {"days": 30})
        assert report["basis"]
        assert assistant.calls <= 3
        assert report["unusual_days"] == [day["date"] for day in report["days"] if day["unusual"]]
        assert len(report["unusual_days"]) == 1, "the seed has one busy day"
