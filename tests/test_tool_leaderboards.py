"""Leaderboards over the embedded tenant."""

import pytest

from tests.support.sandbox_tenant_api import Reach
from tools.refusals import Code

MONTHLY = {
    "name": "Top of the month",
    "metric_type": "total-challenges-completed",
    "period": "monthly",
    "starts_at": "2030-01-01T00:00:00Z",
}


async def test_a_leaderboard_is_made_read_changed_and_listed() -> None:
    api = Reach()
    made = await api.use("create_leaderboard", **MONTHLY, community_id=api.community_id)
    changed = await api.use("update_leaderboard", id=made["id"], name="Best of the month", status="live")
    assert (changed["name"], changed["status"], changed["period"]) == ("Best of the month", "live", "monthly")
    seen = await api.use("get_leaderboard", id=made["id"])
    assert [one["community_id"] for one in seen["conditions"]] == [api.community_id]
    listed = await api.use("list_leaderboards", status="live", community_id=api.community_id, fields=["name"])
    assert {"id": made["id"], "name": "Best of the month"} in listed["items"]


@pytest.mark.parametrize(
    ("tool", "said", "pointer"),
    [
        ("list_leaderboards", {"status": "on"}, "/status"),
        ("get_leaderboard", {"id": "0" * 23}, "/id"),
        ("create_leaderboard", {**MONTHLY, "metric_type": "points"}, "/metric_type"),
        ("create_leaderboard", {**MONTHLY, "expires_at": "2029-01-01T00:00:00Z"}, "/expires_at"),
        ("update_leaderboard", {"id": "0" * 24, "period": "hourly"}, "/period"),
    ],
)
async def test_a_wrong_argument_is_named(tool: str, said: dict[str, object], pointer: str) -> None:
    refusal = await Reach().refused(tool, **said)
    assert refusal.code is Code.ARGUMENTS_INVALID
    assert [field.pointer for field in refusal.fields] == [pointer]
