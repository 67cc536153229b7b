"""Achievements over the embedded tenant: alone, in tiers, and what is left when a tier fails."""

import json
from itertools import pairwise
from typing import Any

import pytest

from tests.support.document_tenant_api import Port
from tests.support.sandbox_tenant_api import Reach
from tools.api import operations as op
from tools.content.achievements import Update, update_achievement
from tools.refusals import Code, ToolError

TIERS: list[dict[str, Any]] = [
    {"name": name, "target": target, "points": points}
    for name, target, points in (("Bronze", 5, 10), ("Silver", 20, 50), ("Gold", 50, 200), ("Platinum", 100, 500))
]
SERIES: dict[str, Any] = {"title": "Explorer", "event": "challenge-completion", "status": "live", "tiers": TIERS}


async def test_one_call_makes_an_achievement_with_its_goal_and_prize() -> None:
    api = Reach()
    made = await api.use(
        "create_achievement",
        community_id=api.community_id,
        title="First steps",
        event="challenge-completion",
        target=1,
        points=20,
        status="live",
    )
    seen = await api.use("get_achievement", id=made["id"])
    assert (seen["title"], seen["status"], seen["target"], seen["points"]) == ("First steps", "live", 1, 20)
    assert seen["queries"][0]["parameters"] == {
        "event_category": "challenge",
        "event_sub_category": "challenge-completion",
    }


async def test_one_call_makes_a_series_with_rising_targets_and_prizes() -> None:
    api = Reach()
    made = await api.use("create_achievement_series", community_id=api.community_id, **SERIES)
    seen = [await api.use("get_achievement", id=one["id"]) for one in made["achievements"]]
    assert [one["title"] for one in seen] == [
        "Explorer: Bronze",
        "Explorer: Silver",
        "Explorer: Gold",
        "Explorer: Platinum",
    ]
    assert all(low["target"] < high["target"] and low["points"] < high["points"] for low, high in pairwise(seen))
    assert {one["status"] for one in seen} == {"live"}


@pytest.mark.parametrize("works", [1, 2, 3])
@pytest.mark.parametrize("broken", ["createAchievement", "assignAchievementDistribution", "updateAchievement"])
async def test_a_series_that_fails_can_be_finished_by_the_calls_named(broken: str, works: int) -> None:
    api = Reach(broken={broken: works})
    before = (await api.use("list_achievements", limit=1))["total_count"]
    refusal = await api.refused("create_achievement_series", community_id=api.community_id, **SERIES)
    assert refusal.code is Code.PARTIALLY_COMPLETED
    api.broken.clear()
    assert refusal.partial is not None
    for call in refusal.partial.finish.split("; then "):
        tool, _, said = call.partition(" ")
        await api.use(tool, **json.loads(said))
    found = await api.use("list_achievements", limit=100, fields=["title", "status", "points"])
    mine = {
        one["title"]: (one["status"], one["points"]) for one in found["items"] if one["title"].startswith("Explorer:")
    }
    assert found["total_count"] == before + 4
    assert mine == {f"Explorer: {tier['name']}": ("live", tier["points"]) for tier in TIERS}


async def test_a_series_that_fails_can_be_undone_by_the_calls_named() -> None:
    api = Reach(broken={"createAchievement": 2})
    before = (await api.use("list_achievements", limit=1))["total_count"]
    refusal = await api.refused("create_achievement_series", community_id=api.community_id, **SERIES)
    assert refusal.partial is not None
    for call in refusal.partial.undo.split("; then "):
        tool, _, said = call.partition(" ")
        await api.use(tool, **json.loads(said))
    assert (await api.use("list_achievements", limit=1))["total_count"] == before


async def test_a_dry_run_of_a_series_changes_nothing() -> None:
    api = Reach()
    planned = await api.use("create_achievement_series", community_id=api.community_id, dry_run=True, **SERIES)
    assert len(planned["plan"]) == 12
    assert api.asked == ["getCommunity"]


async def test_another_target_is_sent_with_the_rest_of_the_criteria_since_the_api_replaces_them_whole() -> None:
    parameters = {"query": "spent", "operator": "==", "attribute": "points", "value": 3}
    criteria = {"type": "sum", "parameters": parameters}
    port = Port(answers={"getAchievement": {"criteria": criteria}})
    await update_achievement(Update(id="1" * 24, target=10), port)
    (sent,) = port.made(op.UPDATE_ACHIEVEMENT)
    assert sent.body == {"criteria": {"type": "sum", "parameters": parameters | {"value": 10}}}


async def test_an_achievement_without_a_target_has_none_to_change() -> None:
    with pytest.raises(ToolError) as refused:
        await update_achievement(Update(id="1" * 24, target=10), Port(answers={"getAchievement": {}}))
    assert refused.value.code is Code.CONFLICT


async def test_a_deleted_achievement_is_not_found() -> None:
    api = Reach()
    made = await api.use("create_achievement", title="Brief", event="question-vote", target=1)
    await api.use("delete_achievement", id=made["id"])
    assert (await api.refused("get_achievement", id=made["id"])).code is Code.NOT_FOUND


@pytest.mark.parametrize(
    ("tool", "said", "pointer"),
    [
        ("list_achievements", {"limit": 0}, "/limit"),
        ("get_achievement", {"id": "x"}, "/id"),
        ("create_achievement", {"title": "T", "event": "Completion!", "target": 1}, "/event"),
        ("create_achievement", {"title": "T", "event": "question-vote", "target": 0}, "/target"),
        ("update_achievement", {"id": "0" * 24, "target": 0}, "/target"),
        ("delete_achievement", {"id": 7}, "/id"),
        ("create_achievement_series", {**SERIES, "tiers": TIERS[::-1]}, "/tiers"),
        ("create_achievement_series", {**SERIES, "tiers": TIERS[:1]}, "/tiers"),
    ],
)
async def test_a_wrong_argument_is_named(tool: str, said: dict[str, object], pointer: str) -> None:
    refusal = await Reach().refused(tool, **said)
    assert refusal.code is Code.ARGUMENTS_INVALID
    assert [field.pointer for field in refusal.fields] == [pointer]
