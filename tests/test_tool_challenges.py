"""Challenges over the embedded tenant: one call makes a whole one, and half of one is accounted for."""

import json

import pytest

from tests.support.sandbox_tenant_api import Reach
from tools.refusals import Code

QUIZ = {
    "title": "Moon quiz",
    "points": 50,
    "xp": 5,
    "status": "live",
    "actions": [
        {
            "key": "question-multiple-choice",
            "title": "First on the Moon?",
            "options": ["Armstrong", "Gagarin"],
            "correct": ["Armstrong"],
        },
        {"key": "question-open-ended", "title": "Why go there?"},
        {"key": "interaction-external-link", "title": "See it", "url": "https://example.org/moon"},
    ],
}


async def test_one_call_makes_a_challenge_with_actions_points_tags_and_status() -> None:
    api = Reach()
    tag = (await api.use("list_tags", limit=1))["items"][0]
    made = await api.use("create_challenge", community_id=api.community_id, tags=[tag["value"].upper()], **QUIZ)
    seen = await api.use("get_challenge", id=made["id"])
    assert (seen["title"], seen["status"], seen["tags"]) == ("Moon quiz", "live", [tag["id"]])
    assert (seen["points"], seen["xp"]) == (50, 5)
    actions = (await api.use("list_actions", owner_id=made["id"]))["items"]
    assert {action["id"] for action in actions} == set(made["action_ids"])
    question = await api.use("get_action", id=made["action_ids"][0])
    right = {option["id"] for option in question["attributes"]["options"] if option["label"] == "Armstrong"}
    assert set(question["attributes"]["correct_answers"]) == right
    assert question["config"]["requires_correct_answer"] is True


async def test_the_status_is_set_last_so_that_nobody_sees_half() -> None:
    api = Reach()
    await api.use("create_challenge", community_id=api.community_id, **QUIZ)
    assert api.asked[0] == "createChallenge"
    assert api.asked[-1] == "updateChallenge"


async def test_a_failure_half_way_says_what_exists_and_both_ways_out() -> None:
    api = Reach(broken={"createAction": 1})
    refusal = await api.refused("create_challenge", community_id=api.community_id, **QUIZ)
    assert refusal.code is Code.PARTIALLY_COMPLETED
    assert refusal.partial is not None
    challenge, action = refusal.partial.completed
    assert challenge["type"] == "challenge"
    seen = await api.use("get_challenge", id=challenge["id"])
    assert seen["status"] == "draft"
    assert [one["id"] for one in (await api.use("list_actions", owner_id=seen["id"]))["items"]] == [action["id"]]
    assert refusal.partial.undo == f'delete_challenge {{"id": "{challenge["id"]}"}}'


async def test_the_calls_named_for_finishing_do_finish_it() -> None:
    api = Reach(broken={"createAction": 1})
    refusal = await api.refused("create_challenge", community_id=api.community_id, **QUIZ)
    api.broken.clear()
    assert refusal.partial is not None
    for call in refusal.partial.finish.split("; then "):
        tool, _, said = call.partition(" ")
        await api.use(tool, **json.loads(said))
    seen = await api.use("get_challenge", id=refusal.partial.completed[0]["id"])
    assert (seen["status"], seen["points"], seen["number_of_actions"]) == ("live", 50, 3)


async def test_a_refusal_before_anything_exists_stays_what_it_is() -> None:
    api = Reach(broken={"createChallenge": 0})
    assert (await api.refused("create_challenge", community_id=api.community_id, **QUIZ)).code is (
        Code.UPSTREAM_UNAVAILABLE
    )


async def test_a_dry_run_shows_every_request_and_makes_none() -> None:
    api = Reach()
    before = (await api.use("list_challenges", limit=1))["total_count"]
    planned = await api.use("create_challenge", community_id=api.community_id, dry_run=True, **QUIZ)
    assert [step["request"].split(" ")[0] for step in planned["plan"]] == ["POST"] * 6
    assert planned["plan"][0]["body"]["details"] == {"title": "Moon quiz"}
    assert (await api.use("list_challenges", limit=1))["total_count"] == before


async def test_a_dry_run_finds_out_that_the_community_does_not_exist() -> None:
    refusal = await Reach().refused("create_challenge", community_id="f" * 24, title="Nowhere", dry_run=True)
    assert refusal.code is Code.NOT_FOUND


async def test_an_unknown_tag_is_refused_with_the_legal_ones_before_anything_is_made() -> None:
    api = Reach()
    tags = [tag["value"] for tag in (await api.use("list_tags"))["items"]]
    refusal = await api.refused("create_challenge", community_id=api.community_id, title="T", tags=["No such tag"])
    assert refusal.code is Code.ARGUMENTS_INVALID
    assert refusal.fields[0].pointer == "/tags/0"
    assert all(tag in str(refusal.fields[0].legal) for tag in tags)
    assert "createChallenge" not in api.asked


async def test_only_the_fields_named_come_back() -> None:
    api = Reach()
    items = (await api.use("list_challenges", fields=["title", "completed_count"]))["items"]
    assert items
    assert all(item.keys() == {"id", "title", "completed_count"} for item in items)


async def test_an_unknown_field_is_refused_with_the_legal_ones() -> None:
    refusal = await Reach().refused("list_challenges", fields=["titel"])
    assert refusal.code is Code.ARGUMENTS_INVALID
    assert refusal.fields[0].pointer == "/fields/0"
    assert "completed_count" in str(refusal.fields[0].legal)


async def test_a_list_shortens_a_long_text_and_says_where_all_of_it_is() -> None:
    api = Reach()
    text = "long " * 200
    made = await api.use("create_challenge", community_id=api.community_id, title="Long", description=text)
    item = next(one for one in (await api.use("list_challenges"))["items"] if one["id"] == made["id"])
    assert item["description"] == f"{text[:500]}... (get_challenge returns all of it)"
    assert (await api.use("get_challenge", id=made["id"]))["description"] == text


async def test_an_update_keeps_what_it_does_not_name() -> None:
    api = Reach()
    made = await api.use("create_challenge", community_id=api.community_id, description="Stays", **QUIZ)
    seen = await api.use("update_challenge", id=made["id"], title="Mars quiz", video_url="https://example.org/v")
    assert (seen["title"], seen["description"], seen["status"]) == ("Mars quiz", "Stays", "live")
    assert seen["video_url"] == "https://example.org/v"


async def test_a_text_written_in_another_language_is_read_in_it() -> None:
    api = Reach()
    made = await api.use("create_challenge", community_id=api.community_id, title="Moon")
    await api.use("update_challenge", id=made["id"], title="Mond", language="de")
    assert (await api.use("get_challenge", id=made["id"]))["title"] == "Moon"
    assert (await api.use("get_challenge", id=made["id"], language="de"))["title"] == "Mond"


async def test_a_deleted_challenge_is_not_found() -> None:
    api = Reach()
    made = await api.use("create_challenge", community_id=api.community_id, title="Short-lived")
    assert await api.use("delete_challenge", id=made["id"]) == {"id": made["id"], "deleted": True}
    assert (await api.refused("get_challenge", id=made["id"])).code is Code.NOT_FOUND


async def test_a_group_is_made_read_changed_and_listed() -> None:
    api = Reach()
    ids = [one["id"] for one in (await api.use("list_challenges", limit=100))["items"]]
    mine = [one for one in ids if (await api.use("get_challenge", id=one))["community_id"] == api.community_id][:2]
    made = await api.use("create_challenge_group", community_id=api.community_id, title="Pair", challenge_ids=mine)
    await api.use("update_challenge_group", id=made["id"], period="weekly", status="live")
    seen = await api.use("get_challenge_group", id=made["id"])
    assert (seen["period"], seen["status"], seen["challenge_ids"]) == ("weekly", "live", mine)
    listed = await api.use("list_challenge_groups", community_id=api.community_id, fields=["title"])
    assert {"id": made["id"], "title": "Pair"} in listed["items"]


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"title": ""}, "/title"),
        ({"community_id": "acme"}, "/community_id"),
        ({"starts_at": "tomorrow"}, "/starts_at"),
        ({"starts_at": "2026-02-01T00:00:00Z", "expires_at": "2026-01-01T00:00:00Z"}, "/expires_at"),
        ({"points": -1}, "/points"),
        ({"reward_id": "0" * 24}, "/reward_supply"),
        ({"actions": [{"key": "question-multiple-choice", "title": "?"}]}, "/actions/0/options"),
        (
            {"actions": [{"key": "question-multiple-choice", "title": "?", "options": ["a", "b"], "correct": ["c"]}]},
            "/actions/0/correct",
        ),
        ({"actions": [{"key": "question-open-ended", "title": "?", "url": "https://example.org"}]}, "/actions/0/url"),
        ({"actions": [{"key": "interaction-external-link", "title": "?"}]}, "/actions/0/url"),
        ({"actions": [{"key": "question-open-ended", "title": "?", "attributes": {}}]}, "/actions/0/attributes"),
    ],
)
async def test_a_wrong_argument_is_named(said: dict[str, object], pointer: str) -> None:
    refusal = await Reach().refused("create_challenge", **({"community_id": "0" * 24, "title": "T"} | said))
    assert refusal.code is Code.ARGUMENTS_INVALID
    assert [field.pointer for field in refusal.fields] == [pointer]
