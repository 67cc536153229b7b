"""A create with a request_key happens once: for one caller, one tool and one set of arguments."""

import asyncio
from typing import Any

from tests.support.raw_clients import Heard, Http, speaking
from tests.support.shared_stack import World


async def create(http: Http, world: World, key: str | None, title: str = "Once", token: str = "manager") -> Heard:
    said: dict[str, Any] = {"community_id": world.organisations["acme"]["community_id"], "title": title}
    if key is not None:
        said["request_key"] = key
    return await http.call("create_challenge", said, headers=world.headers(token))


async def total(http: Http, world: World) -> int:
    heard = await http.call("list_challenges", {"limit": 1}, headers=world.headers("manager"))
    return int(heard.envelope["data"]["total_count"])


async def test_the_same_key_and_arguments_give_the_first_answer_again(world: World) -> None:
    async with speaking(world.origin) as http:
        before = await total(http, world)
        first = await create(http, world, "replay-key-0001")
        again = await create(http, world, "replay-key-0001")
        assert again.envelope == first.envelope
        assert await total(http, world) == before + 1


async def test_the_same_key_with_other_arguments_is_a_conflict(world: World) -> None:
    async with speaking(world.origin) as http:
        await create(http, world, "replay-key-0002")
        heard = await create(http, world, "replay-key-0002", title="Twice")
        assert (heard.code, heard.envelope["error"]["reason"]) == ("conflict", "request_key_reused")


async def test_a_key_belongs_to_the_caller(world: World) -> None:
    async with speaking(world.origin) as http:
        before = await total(http, world)
        mine = await create(http, world, "replay-key-0003")
        theirs = await create(http, world, "replay-key-0003", token="admin")
        assert mine.envelope["data"]["id"] != theirs.envelope["data"]["id"]
        assert await total(http, world) == before + 2


async def test_many_at_once_make_one(world: World) -> None:
    async with speaking(world.origin) as http:
        before = await total(http, world)
        heard = await asyncio.gather(*(create(http, world, "replay-key-0004") for _ in range(8)))
        assert {one.code for one in heard} <= {"ok", "conflict"}
        assert [one.envelope["error"]["reason"] for one in heard if one.code == "conflict"].count("in_flight") == len(
            [one for one in heard if one.code == "conflict"]
        )
        assert await total(http, world) == before + 1


async def test_a_create_that_was_refused_may_be_tried_again_with_its_key(world: World) -> None:
    said = {"community_id": "f" * 24, "title": "Nowhere", "request_key": "replay-key-0005"}
    async with speaking(world.origin) as http:
        refused = await http.call("create_challenge", said, headers=world.headers("manager"))
        assert refused.code != "ok"
        again = await http.call("create_challenge", said, headers=world.headers("manager"))
        assert again.code == refused.code
