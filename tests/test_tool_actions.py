"""Actions over the embedded tenant: made, changed, put in order and removed."""

import pytest

from tests.support.sandbox_tenant_api import Reach
from tools.refusals import Code


async def challenge(api: Reach) -> str:
    made = await api.use("create_challenge", community_id=api.community_id, title="Home of actions")
    return str(made["id"])


async def test_an_action_of_any_kind_can_be_added() -> None:
    api = Reach()
    owner = await challenge(api)
    made = await api.use(
        "create_action",
        community_id=api.community_id,
        owner_type="challenge",
        owner_id=owner,
        action={"key": "question-vote", "title": "Which?", "attributes": {"question": "Which?"}},
    )
    seen = await api.use("get_action", id=made["id"])
    assert (seen["key"], seen["title"], seen["allocation_id"]) == ("question-vote", "Which?", owner)
    assert seen["attributes"] == {"key": "question-vote", "question": "Which?"}


async def test_the_order_given_is_the_order_read() -> None:
    api = Reach()
    owner = await challenge(api)
    common = {"community_id": api.community_id, "owner_type": "challenge", "owner_id": owner}
    ids = [
        (await api.use("create_action", **common, action={"key": "question-open-ended", "title": str(number)}))["id"]
        for number in range(3)
    ]
    wanted = [ids[2], ids[0], ids[1]]
    ordered = await api.use("reorder_actions", owner_id=owner, action_ids=wanted)
    assert [one["id"] for one in ordered["items"]] == wanted


async def test_attributes_go_back_as_they_were_shown() -> None:
    api = Reach()
    action = {"key": "question-multiple-choice", "title": "2 + 2?", "options": ["3", "4"], "correct": ["4"]}
    owner = {"community_id": api.community_id, "owner_type": "challenge", "owner_id": await challenge(api)}
    made = await api.use("create_action", **owner, action=action)
    attributes = made["attributes"] | {"question": "Two and two?"}
    changed = await api.use("update_action", id=made["id"], title="Sum", attributes=attributes)
    assert changed["title"] == "Sum"
    assert changed["attributes"] == attributes


async def test_a_deleted_action_is_gone() -> None:
    api = Reach()
    owner = {"community_id": api.community_id, "owner_type": "challenge", "owner_id": await challenge(api)}
    made = await api.use("create_action", **owner, action={"key": "question-open-ended", "title": "Gone soon"})
    await api.use("delete_action", id=made["id"])
    assert (await api.refused("get_action", id=made["id"])).code is Code.NOT_FOUND


async def test_a_list_is_cut_to_one_owner_and_kind() -> None:
    api = Reach()
    owner = await challenge(api)
    common = {"community_id": api.community_id, "owner_type": "challenge", "owner_id": owner}
    await api.use("create_action", **common, action={"key": "question-open-ended", "title": "Mine"})
    await api.use("create_action", **common, action={"key": "question-vote", "title": "Other"})
    listed = await api.use("list_actions", owner_id=owner, key="question-vote", community_id=api.community_id)
    assert [one["title"] for one in listed["items"]] == ["Other"]


@pytest.mark.parametrize(
    ("tool", "said", "pointer"),
    [
        ("list_actions", {"owner_id": "../users"}, "/owner_id"),
        ("get_action", {"id": "1"}, "/id"),
        ("create_action", {"community_id": "0" * 24, "owner_id": "0" * 24, "owner_type": "post"}, "/owner_type"),
        ("update_action", {"id": "0" * 24, "title": ""}, "/title"),
        ("delete_action", {}, "/id"),
        ("reorder_actions", {"owner_id": "0" * 24, "action_ids": []}, "/action_ids"),
    ],
)
async def test_a_wrong_argument_is_named(tool: str, said: dict[str, object], pointer: str) -> None:
    refusal = await Reach().refused(tool, **said)
    assert refusal.code is Code.ARGUMENTS_INVALID
    assert pointer in {field.pointer for field in refusal.fields}
