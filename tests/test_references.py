"""Prompts, completions and resources: through the same gate as the tools, in both revisions of the protocol."""

from typing import Any

import pytest

from tests.support.raw_clients import LEGACY, MODERN, Heard, Http, speaking
from tests.support.shared_stack import World

VERSIONS = pytest.mark.parametrize("version", [LEGACY, MODERN])
PROMPTS = {"new_challenge", "new_reward", "achievement_series", "feed_post", "theme_tuning", "weekly_report"}


async def read(http: Http, uri: str, headers: dict[str, str], version: str) -> Heard:
    named = headers | ({"mcp-name": uri} if version == MODERN else {})
    return await http.ask("resources/read", {"uri": uri}, headers=named, version=version)


def text(heard: Heard) -> str:
    said: str = heard.message["result"]["contents"][0]["text"]
    return said


@VERSIONS
async def test_the_documented_prompts_are_listed_and_filled(world: World, version: str) -> None:
    headers = world.headers("manager")
    async with speaking(world.origin) as http:
        listed = await http.ask("prompts/list", headers=headers, version=version)
        assert {one["name"] for one in listed.message["result"]["prompts"]} == PROMPTS
        said = {"name": "new_challenge", "arguments": {"topic": "the moon", "points": "50"}}
        filled = await http.ask("prompts/get", said, headers=headers, version=version)
        words = filled.message["result"]["messages"][0]["content"]["text"]
        assert "the moon" in words
        assert "create_challenge" in words


@VERSIONS
async def test_a_prompt_without_its_required_blank_or_name_is_a_protocol_error(world: World, version: str) -> None:
    async with speaking(world.origin) as http:
        for said in ({"name": "new_challenge", "arguments": {}}, {"name": "nope", "arguments": {}}):
            heard = await http.ask("prompts/get", said, headers=world.headers("manager"), version=version)
            assert heard.code == "-32602"


@VERSIONS
async def test_a_blank_is_completed_with_what_the_caller_may_see(world: World, version: str) -> None:
    def asking(argument: str, begun: str) -> dict[str, Any]:
        ref = {"type": "ref/prompt", "name": "new_challenge"}
        return {"ref": ref, "argument": {"name": argument, "value": begun}}

    async def values(http: Http, headers: dict[str, str], argument: str, begun: str) -> list[str]:
        heard = await http.ask("completion/complete", asking(argument, begun), headers=headers, version=version)
        found: list[str] = heard.message["result"]["completion"]["values"]
        return found

    async with speaking(world.origin) as http:
        assert await values(http, world.headers("viewer"), "tag", "sci") == ["Science Fans"]
        assert await values(http, world.headers("viewer"), "points", "5") == ["50"]
        astray = world.headers("viewer") | {"x-api-domain": world.domain("globex")}
        assert await values(http, astray, "tag", "") == []
        assert await values(http, world.headers("viewer"), "nothing", "") == []


@VERSIONS
async def test_reference_data_is_read_through_the_gate(world: World, version: str) -> None:
    headers = world.headers("viewer")
    async with speaking(world.origin) as http:
        listed = await http.ask("resources/list", headers=headers, version=version)
        uris = [one["uri"] for one in listed.message["result"]["resources"]]
        for uri in uris:
            assert text(await read(http, uri, headers, version))
        assert "Science Fans" in text(await read(http, "nudj://tags", headers, version))
        assert "role_denied" in text(await read(http, "nudj://reference/errors", headers, version))


@VERSIONS
async def test_a_stranger_is_shown_what_is_public_and_told_why_the_rest_is_not(world: World, version: str) -> None:
    astray = world.headers("viewer") | {"x-api-domain": world.domain("globex")}
    async with speaking(world.origin) as http:
        listed = await http.ask("resources/list", headers=astray, version=version)
        assert {one["uri"].split("/")[2] for one in listed.message["result"]["resources"]} == {"reference"}
        refused = await read(http, "nudj://tags", astray, version)
        assert refused.message["error"]["data"]["code"] == "organisation_mismatch"
        unknown = await read(http, "nudj://nothing", world.headers("viewer"), version)
        assert unknown.code == "-32602"
