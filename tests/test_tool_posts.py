"""Posts over the embedded tenant."""

import pytest

from tests.support.sandbox_tenant_api import Reach
from tools.refusals import Code


async def test_a_post_is_drafted_published_found_and_deleted() -> None:
    api = Reach()
    made = await api.use(
        "create_post", community_id=api.community_id, title="Open late", content="<p>Hi</p>", tags=["science fans"]
    )
    assert (made["title"], made["content"], made["status"]) == ("Open late", "<p>Hi</p>", "draft")
    assert len(made["tags"]) == 1
    changed = await api.use("update_post", id=made["id"], status="live")
    assert (changed["status"], changed["title"]) == ("live", "Open late")
    listed = await api.use("list_posts", community_id=api.community_id, limit=100, fields=["title"])
    assert {"id": made["id"], "title": "Open late"} in listed["items"]
    assert (await api.use("delete_post", id=made["id"]))["deleted"] is True
    assert (await api.refused("get_post", id=made["id"])).code is Code.NOT_FOUND


async def test_a_post_is_written_once_per_language_and_read_in_each() -> None:
    api = Reach()
    made = await api.use("create_post", community_id=api.community_id, title="Moon night", content="<p>Come</p>")
    await api.use("update_post", id=made["id"], title="Mondnacht", content="<p>Kommt</p>", language="de")
    german = await api.use("get_post", id=made["id"], language="de")
    own = await api.use("get_post", id=made["id"])
    assert (german["title"], own["title"]) == ("Mondnacht", "Moon night")


@pytest.mark.parametrize(
    ("tool", "said", "pointer"),
    [
        ("list_posts", {"limit": 101}, "/limit"),
        ("list_posts", {"cursor": "AAAA"}, "/cursor"),
        ("get_post", {"id": "../users"}, "/id"),
        ("create_post", {"community_id": "0" * 24, "title": "", "content": "x"}, "/title"),
        (
            "create_post",
            {"community_id": "0" * 24, "title": "x", "content": "x", "request_key": "short"},
            "/request_key",
        ),
        ("update_post", {"id": "0" * 24, "status": "gone"}, "/status"),
        ("delete_post", {"id": "0" * 24, "force": True}, "/force"),
    ],
)
async def test_a_wrong_argument_is_named(tool: str, said: dict[str, object], pointer: str) -> None:
    refusal = await Reach().refused(tool, **said)
    assert refusal.code is Code.ARGUMENTS_INVALID
    assert [field.pointer for field in refusal.fields] == [pointer]
