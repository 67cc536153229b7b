"""Rewards over the embedded tenant: stocked, handed out by name, drawn."""

from typing import Any

import pytest

from tests.support.document_tenant_api import Port
from tests.support.sandbox_tenant_api import Reach
from tools.content.giveaways import Give, give_rewards
from tools.refusals import Code, ToolError

USER = "5" * 24


async def reward(api: Reach, **said: Any) -> dict[str, Any]:
    return await api.use("create_reward", **({"community_id": api.community_id, "title": "Mug"} | said))


async def user(api: Reach) -> str:
    return str((await api.use("list_users", limit=1))["items"][0]["id"])


async def test_a_reward_is_made_with_price_stock_and_a_place_in_the_shop() -> None:
    api = Reach()
    made = await reward(
        api,
        assets_supply=100,
        asset_points_price=250,
        allocation_supply=40,
        is_shop=True,
        instructions="Show the code.",
    )
    seen = await api.use("get_reward", id=made["id"])
    assert (seen["assets_supply"], seen["asset_points_price"]) == (100, 250)
    assert seen["instructions"] == "Show the code."
    (shelf,) = seen["allocations"]
    assert (shelf["supply"], shelf["is_shop"], shelf["is_live"]) == (40, True, True)


async def test_an_update_keeps_what_it_does_not_name() -> None:
    api = Reach()
    made = await reward(api, assets_supply=3, description="Blue", instructions="Ask")
    seen = await api.use("update_reward", id=made["id"], assets_supply=9, status="live")
    assert (seen["title"], seen["description"], seen["assets_supply"], seen["status"]) == ("Mug", "Blue", 9, "live")
    assert seen["instructions"] == "Ask"


async def test_a_reward_is_listed_small_and_deleted_for_good() -> None:
    api = Reach()
    made = await reward(api)
    listed = (await api.use("list_rewards"))["items"]
    assert "allocations" not in next(one for one in listed if one["id"] == made["id"])
    await api.use("delete_reward", id=made["id"])
    assert (await api.refused("get_reward", id=made["id"])).code is Code.NOT_FOUND


async def test_points_are_handed_to_named_users() -> None:
    api = Reach()
    gift = {"community_id": api.community_id, "user_ids": [await user(api)], "points": 25}
    assert await api.use("give_rewards", **gift) == {"success": True, "users_processed": 1.0, "failed_user_ids": []}


async def test_users_who_got_nothing_are_named_with_the_call_that_gives_to_them_alone() -> None:
    said = {"success": True, "usersProcessed": 1, "failedUserIds": [USER]}
    port = Port(answers={"processManualDistribution": said})
    given = Give(community_id="1" * 24, user_ids=["4" * 24, USER], points=10)
    with pytest.raises(ToolError) as refused:
        await give_rewards(given, port)
    assert refused.value.code is Code.PARTIALLY_COMPLETED
    assert refused.value.partial is not None
    assert "4" * 24 not in refused.value.partial.finish
    assert USER in refused.value.partial.finish


async def test_a_manual_giveaway_is_closed_with_its_winners() -> None:
    api = Reach()
    made = await reward(api, assets_supply=5, allocation_supply=5, is_manual_giveaway=True, status="live")
    closed = await api.use("close_giveaway", id=made["id"], winners=[{"user_id": await user(api)}])
    assert closed == {"id": made["id"], "closed": True, "winners": 1}


@pytest.mark.parametrize(
    ("tool", "said", "pointer"),
    [
        ("list_rewards", {"cursor": "nonsense"}, "/cursor"),
        ("get_reward", {"id": ""}, "/id"),
        ("create_reward", {"community_id": "0" * 24, "title": "T", "assets_supply": -1}, "/assets_supply"),
        ("update_reward", {"id": "0" * 24, "max_assets_per_user": 0}, "/max_assets_per_user"),
        ("delete_reward", {}, "/id"),
        ("give_rewards", {"community_id": "0" * 24, "user_ids": [], "points": 1}, "/user_ids"),
        ("give_rewards", {"community_id": "0" * 24, "user_ids": [USER]}, "/xp"),
        ("close_giveaway", {"id": "0" * 24, "winners": [{"user_id": "me"}]}, "/winners/0/user_id"),
    ],
)
async def test_a_wrong_argument_is_named(tool: str, said: dict[str, object], pointer: str) -> None:
    refusal = await Reach().refused(tool, **said)
    assert refusal.code is Code.ARGUMENTS_INVALID
    assert [field.pointer for field in refusal.fields] == [pointer]
