"""Distributions over the embedded tenant: one pair of tools for everything that pays."""

from typing import Any

import pytest

from tests.support.sandbox_tenant_api import Reach
from tools.refusals import Code


async def owner(api: Reach, owner_type: str) -> str:
    """Something of the kind that pays nothing yet."""
    match owner_type:
        case "challenge":
            made = await api.use("create_challenge", community_id=api.community_id, title="Pays")
        case "action":
            home = await owner(api, "challenge")
            action = {"key": "question-open-ended", "title": "Pays"}
            said = {"community_id": api.community_id, "owner_type": "challenge", "owner_id": home}
            made = await api.use("create_action", **said, action=action)
        case "achievement":
            made = await api.use("create_achievement", title="Pays", event="question-vote", target=1)
        case _:
            starts = {"starts_at": "2030-01-01T00:00:00Z", "metric_type": "total-xp"}
            made = await api.use("create_leaderboard", name="Pays", **starts)
    return str(made["id"])


async def reward(api: Reach) -> str:
    made = await api.use("create_reward", community_id=api.community_id, title="Mug", assets_supply=100)
    return str(made["id"])


@pytest.mark.parametrize("owner_type", ["challenge", "action", "achievement"])
async def test_what_is_set_is_read_back(owner_type: str) -> None:
    api = Reach()
    owner_id = await owner(api, owner_type)
    shares = [{"reward_id": await reward(api), "supply": supply} for supply in (7, 8)]
    prize = {"points": 30, "xp": 3, "mechanism": "random", "picks": 1, "allocations": shares}
    await api.use("set_distribution", owner_type=owner_type, owner_id=owner_id, prizes=[prize])
    (seen,) = (await api.use("get_distribution", owner_type=owner_type, owner_id=owner_id))["prizes"]
    assert {name: seen[name] for name in ("points", "xp", "mechanism", "picks")} == {
        "points": 30,
        "xp": 3,
        "mechanism": "random",
        "picks": 1,
    }
    assert [{name: one[name] for name in ("reward_id", "supply")} for one in seen["allocations"]] == shares


async def test_an_allocation_passed_with_its_id_stays_and_one_left_out_goes() -> None:
    api = Reach()
    at: dict[str, Any] = {"owner_type": "challenge", "owner_id": await owner(api, "challenge")}
    first, second = await reward(api), await reward(api)
    both = [{"reward_id": first, "supply": 1}, {"reward_id": second, "supply": 2}]
    (before,) = (await api.use("set_distribution", **at, prizes=[{"allocations": both}]))["prizes"]
    kept = next(one for one in before["allocations"] if one["reward_id"] == second)
    change = {"id": kept["id"], "reward_id": second, "supply": 9}
    await api.use("set_distribution", **at, prizes=[{"allocations": [change]}])
    (after,) = (await api.use("get_distribution", **at))["prizes"]
    assert [(one["id"], one["supply"]) for one in after["allocations"]] == [(kept["id"], 9)]


async def test_a_leaderboard_pays_by_rank() -> None:
    api = Reach()
    at: dict[str, Any] = {"owner_type": "leaderboard", "owner_id": await owner(api, "leaderboard")}
    spans = [{"start_rank": 1, "points": 500}, {"start_rank": 2, "end_rank": 10, "points": 50}]
    await api.use("set_distribution", **at, prizes=spans)
    seen = (await api.use("get_distribution", **at))["prizes"]
    assert [(one["start_rank"], one["end_rank"], one["points"]) for one in seen] == [(1, 1, 500), (2, 10, 50)]


async def test_a_game_pays_any_of_several_prizes() -> None:
    api = Reach()
    game = (await api.use("list_games", limit=1))["items"][0]["id"]
    prizes = [{"points": 1}, {"points": 2}]
    answer = await api.use("set_distribution", owner_type="game", owner_id=game, prizes=prizes)
    assert [one["points"] for one in answer["prizes"]] == [1, 2]


async def test_reading_the_prizes_of_a_game_says_that_the_api_cannot() -> None:
    refusal = await Reach().refused("get_distribution", owner_type="game", owner_id="0" * 24)
    assert refusal.code is Code.ARGUMENTS_INVALID
    assert refusal.fields[0].pointer == "/owner_type"
    assert "game" in refusal.fields[0].problem


@pytest.mark.parametrize(
    ("owner_type", "prizes", "pointer"),
    [
        ("challenge", [{}, {}], "/prizes"),
        ("challenge", [{"start_rank": 1}], "/prizes"),
        ("leaderboard", [{"points": 5}], "/prizes"),
        ("leaderboard", [{"start_rank": 4, "end_rank": 2}], "/prizes/0/end_rank"),
        ("achievement", [{"allocations": [{"reward_id": "0" * 24}]}], "/prizes/0/allocations/0/supply"),
        ("post", [{}], "/owner_type"),
        ("action", [], "/prizes"),
    ],
)
async def test_a_wrong_argument_is_named(owner_type: str, prizes: list[dict[str, Any]], pointer: str) -> None:
    refusal = await Reach().refused("set_distribution", owner_type=owner_type, owner_id="0" * 24, prizes=prizes)
    assert refusal.code is Code.ARGUMENTS_INVALID
    assert [field.pointer for field in refusal.fields] == [pointer]
