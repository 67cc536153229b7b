"""Reports: what they count, where they stop, and what they say about it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from tests.support.document_tenant_api import Call, Port
from tests.support.sandbox_tenant_api import TOOLS, Reach
from tools.refusals import Code, ToolError
from tools.shared.concurrency import AT_ONCE, PAGES, SIZE, together

NOW = datetime.now(UTC)


def identity(number: int) -> str:
    """A 24-hex id."""
    return f"{number:024x}"


def listing(items: list[dict[str, Any]]) -> Callable[[Call], dict[str, Any]]:
    """A list operation that pages as the API does."""

    def answer(call: Call) -> dict[str, Any]:
        skip, limit = call.query["skip"], call.query["limit"]
        return {"totalCount": len(items), "edges": items[skip : skip + limit]}

    return answer


def challenge(number: int, **members: Any) -> dict[str, Any]:
    """A challenge of the API."""
    return {"id": identity(number), "communityId": identity(1), "details": {"title": f"c{number}"}} | members


async def report(name: str, api: Port, **said: Any) -> dict[str, Any]:
    """A report as plain JSON."""
    tool = TOOLS[name]
    answer = await tool.run(tool.takes.model_validate(said), api)
    return answer.model_dump(mode="json")


async def test_challenges_are_ranked_and_only_those_born_in_the_period_count_as_exact() -> None:
    since = NOW - timedelta(days=7)
    api = Port(
        {
            "getChallenges": listing(
                [
                    challenge(1, completedCount=5, createdAt=(NOW - timedelta(days=90)).isoformat()),
                    challenge(2, completedCount=9, createdAt=(NOW - timedelta(days=2)).isoformat()),
                    challenge(3, completedCount=50, expiresAt=(NOW - timedelta(days=30)).isoformat()),
                ]
            )
        }
    )
    found = await report("report_top_challenges", api, since=since.isoformat())
    assert [(one["title"], one["completed"], one["exact"]) for one in found["challenges"]] == [
        ("c2", 9, True),
        ("c1", 5, False),
    ]


async def test_completion_puts_the_greatest_loss_first_and_leaves_out_what_nobody_began() -> None:
    api = Port(
        {
            "getChallenges": listing(
                [
                    challenge(1, startedCount=10, completedCount=9),
                    challenge(2, startedCount=10, completedCount=1),
                    challenge(3, startedCount=0, completedCount=0),
                    challenge(4, startedCount=10, completedCount=0, communityId=identity(2)),
                ]
            )
        }
    )
    found = await report("report_completion", api, community_id=identity(1))
    assert [(one["title"], one["given_up"], one["completion_rate"]) for one in found["challenges"]] == [
        ("c2", 9, 0.1),
        ("c1", 1, 0.9),
    ]
    assert (found["started"], found["completed"], found["completion_rate"]) == (20, 10, 0.5)


async def test_a_report_stops_after_ten_pages_and_says_so() -> None:
    api = Port({"getChallenges": listing([challenge(number) for number in range(SIZE * PAGES + 1)])})
    found = await report("report_completion", api)
    assert len(api.calls) == PAGES
    assert (found["read"], found["total"], found["capped"]) == (SIZE * PAGES, SIZE * PAGES + 1, True)
    assert [done for done, _, _ in api.reports] == list(range(1, PAGES))


async def test_one_refused_page_refuses_the_report() -> None:
    pages = listing([challenge(number) for number in range(SIZE * 3)])

    def answer(call: Call) -> Any:
        if call.query["skip"] == SIZE:
            raise ToolError(Code.RATE_LIMITED, "Too fast.")
        return pages(call)

    with pytest.raises(ToolError) as refused:
        await report("report_completion", Port({"getChallenges": answer}))
    assert refused.value.code is Code.RATE_LIMITED


async def test_no_more_than_five_requests_are_in_flight() -> None:
    flying, most = 0, 0

    async def fly() -> int:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await anyio.sleep(0.001)
        flying -= 1
        return flying

    assert len(await together(Port(), [fly] * 40, "flights")) == 40
    assert most == AT_ONCE


def person(number: int, **members: Any) -> dict[str, Any]:
    """A user of the API."""
    return {"id": identity(number), "username": f"u{number}", "points": number, "xp": {"total": number}} | members


async def test_users_are_ranked_within_one_community_by_their_standing_there() -> None:
    def here(points: int) -> dict[str, Any]:
        return {"communityData": [{"communityId": identity(1), "points": points, "challengesCompleted": 1}]}

    api = Port({"getUsers": listing([person(1, **here(30)), person(2, **here(70)), person(3)])})
    found = await report("report_top_users", api, community_id=identity(1))
    assert [(one["rank"], one["username"], one["value"]) for one in found["users"]] == [(1, "u2", 70), (2, "u1", 30)]
    assert [one["username"] for one in (await report("report_top_users", api, by="xp"))["users"]] == ["u3", "u2", "u1"]


async def test_rewards_that_run_out_are_found_and_those_without_a_limit_counted_apart() -> None:
    def reward(number: int, supply: int | None, distributed: int, status: str = "live") -> dict[str, Any]:
        return challenge(number, status=status, allocations=[{"supply": supply, "distributed": distributed}])

    rewards = [
        reward(1, 100, 95),
        reward(2, 100, 10),
        reward(3, None, 5),
        reward(4, 10, 10, "archived"),
        reward(5, 9, 9),
    ]
    found = await report("report_rewards_low", Port({"getRewards": listing(rewards)}))
    assert [(one["title"], one["remaining"]) for one in found["rewards"]] == [("c5", 0), ("c1", 5)]
    assert found["unknown"] == 1


def history(number: int, days: dict[int, float]) -> dict[str, Any]:
    """What a user earned, by days ago."""
    played = [
        {"completedAt": (NOW - timedelta(days=day)).isoformat(), "pointsEarned": points, "xpEarned": points / 2}
        for day, points in days.items()
    ]
    return {"userId": identity(number), "challenges": [*played, {"status": "started"}]}


async def test_points_are_summed_per_day_and_a_spike_is_flagged() -> None:
    histories = {
        identity(1): history(1, {1: 50, 2: 60, 3: 400, 40: 9_000}),
        identity(2): history(2, {1: 10, 4: 55, 5: 70}),
    }
    api = Port(
        {
            "getUsers": listing([person(1), person(2)]),
            "getUserAnalyticsDetails": lambda call: histories[call.query["userId"]],
        }
    )
    found = await report("report_points", api, days=30)
    assert (found["points"], found["xp"]) == (645, 322.5)
    assert found["unusual_days"] == [(NOW - timedelta(days=3)).date().isoformat()]
    assert [day["points"] for day in found["days"]] == [70, 55, 400, 60, 60]
    assert (found["read"], found["total"], found["capped"]) == (2, 2, False)


async def test_somebody_erased_meanwhile_does_not_spoil_the_points() -> None:
    def answer(call: Call) -> Any:
        if call.query["userId"] == identity(1):
            raise ToolError(Code.NOT_FOUND, "Gone.")
        return history(2, {1: 10})

    api = Port({"getUsers": listing([person(1), person(2)]), "getUserAnalyticsDetails": answer})
    found = await report("report_points", api)
    assert (found["points"], found["read"], found["capped"]) == (10, 1, True)


async def test_a_community_is_summed_up_over_the_embedded_tenant() -> None:
    api = Reach()
    found = await api.use("report_community", community_id=api.community_id)
    listed = await api.use("list_posts", community_id=api.community_id, limit=100)
    assert found["posts"]["count"] == listed["total_count"]
    assert sum(found["challenges"]["per_status"].values()) == found["challenges"]["count"] > 0
    assert found["members"] > 0


async def test_the_five_newest_challenges_take_one_call() -> None:
    created = [one["created_at"] for one in (await Reach().use("list_challenges", limit=5))["items"]]
    assert len(created) == 5


async def test_the_challenges_completed_most_this_week_take_one_call() -> None:
    found = await Reach().use("report_top_challenges", since=(NOW - timedelta(days=7)).isoformat())
    counts = [one["completed"] for one in found["challenges"]]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 0


async def test_the_points_of_the_last_thirty_days_and_their_odd_spikes_take_one_call() -> None:
    found = await Reach().use("report_points", days=30)
    assert found["points"] > 0
    assert found["unusual_days"]


async def test_three_tagged_quiz_challenges_of_fifty_points_take_three_calls() -> None:
    api = Reach()
    for title in ("Planets", "Moons", "Comets"):
        made = await api.use(
            "create_challenge",
            community_id=api.community_id,
            title=f"{title} quiz",
            points=50,
            tags=["Science Fans"],
            actions=[{"key": "question-open-ended", "title": f"Name three {title.lower()}"}],
        )
        assert made["status"] == "draft"
