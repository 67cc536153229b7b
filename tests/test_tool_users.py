"""Users and their histories over the embedded tenant."""

import pytest

from server.pipeline import envelope
from tests.support.document_tenant_api import Port
from tests.support.sandbox_tenant_api import TOOLS, Reach
from tests.support.schema_samples import HEX
from tools.people.users import Erase, erase_user
from tools.refusals import Code, ToolError


async def test_a_user_is_made_read_and_erased_so_that_nothing_personal_is_left() -> None:
    api = Reach()
    made = await api.use("create_user", email="lin@acme.example", username="lin", display_name="Lin Park")
    assert (await api.use("get_user", id=made["id"], fields=["email"])) == {
        "id": made["id"],
        "email": "lin@acme.example",
    }
    assert (await api.use("erase_user", id=made["id"])) == {"id": made["id"], "erased": True}
    assert "lin" not in str(await api.use("get_user", id=made["id"])).lower()


async def test_an_erasure_the_tenant_did_not_make_is_not_called_done() -> None:
    api = Port({"deleteUserData": {"success": False, "message": "later"}})
    with pytest.raises(ToolError) as refused:
        await erase_user(Erase(id=HEX), api)
    assert (refused.value.code, refused.value.upstream) == (Code.CONFLICT, "later")


def test_what_users_wrote_about_themselves_is_marked_as_data() -> None:
    marked = envelope.list_untrusted(TOOLS["get_user"].gives)
    assert {"/data/bio", "/data/username", "/data/display_name", "/data/email"} <= set(marked)
    assert "/data/items/*/display_name" in envelope.list_untrusted(TOOLS["list_users"].gives)


async def test_a_history_shows_the_newest_first_and_no_more_than_asked() -> None:
    api = Reach()
    user = (await api.use("report_top_users", by="challenges_completed", top=1))["users"][0]
    history = await api.use("get_user_analytics", user_id=user["id"], latest=2)
    moments = [one["completed_at"] for one in history["challenges"]]
    assert len(moments) == 2
    assert moments == sorted(moments, reverse=True)
    assert history["user_id"] == user["id"]


async def test_a_history_of_somebody_else_is_not_passed_on() -> None:
    stranger = {"userId": "f" * 24, "username": "stranger"}
    api = Port({"getUserAnalyticsDetails": stranger})
    tool = TOOLS["get_user_analytics"]
    with pytest.raises(ToolError) as refused:
        await tool.run(tool.takes.model_validate({"user_id": HEX}), api)
    assert refused.value.code is Code.UPSTREAM_INVALID


@pytest.mark.parametrize(
    ("tool", "said", "pointer"),
    [
        ("list_users", {"limit": "20"}, "/limit"),
        ("get_user", {"id": "me"}, "/id"),
        ("create_user", {"email": "not an address"}, "/email"),
        ("erase_user", {}, "/id"),
        ("get_user_analytics", {"user_id": HEX, "latest": 0}, "/latest"),
    ],
)
async def test_a_wrong_argument_is_named(tool: str, said: dict[str, object], pointer: str) -> None:
    refusal = await Reach().refused(tool, **said)
    assert refusal.code is Code.ARGUMENTS_INVALID
    assert [field.pointer for field in refusal.fields] == [pointer]
