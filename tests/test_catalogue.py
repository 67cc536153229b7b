"""Rules over the catalogue: what makes any tool, whoever adds it, safe to call and good to read."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from server.pipeline.validation import validate
from server.protocol import schemas
from tests.support.argument_strategies import arguments
from tests.support.schema_samples import HEX, document
from tools import CATALOGUE
from tools.api.operations import OPERATIONS
from tools.api.unreachable import OUT_OF_REACH
from tools.refusals import ToolError
from tools.shared.paging import Page, PageOf
from tools.spec import ConfirmedInput, Effect, IdempotentInput, Tool, Verb
from tools.toolsets import DEFAULT, TOOLSETS

NAMES = {tool.name for tool in CATALOGUE}
MENTION = re.compile(r"\b(?:[a-z]+_)+[a-z]+\b")
EVERY = pytest.mark.parametrize("tool", CATALOGUE, ids=lambda tool: tool.name)


def members(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every named member of an input schema, at any depth."""
    for name, member in schema.get("properties", {}).items():
        yield name, member
        yield from members(member)
    if isinstance(schema.get("items"), dict):
        yield from members(schema["items"])


def types(schema: Any) -> Iterator[str]:
    """Every JSON type named anywhere in a schema."""
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield schema["type"]
        for inner in schema.values():
            yield from types(inner)
    if isinstance(schema, list):
        for inner in schema:
            yield from types(inner)


def test_no_two_tools_share_a_name() -> None:
    assert [name for name, times in Counter(tool.name for tool in CATALOGUE).items() if times > 1] == []


@EVERY
def test_a_name_is_a_verb_and_a_noun_of_at_most_forty_characters(tool: Tool) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", tool.name)
    assert len(tool.name) <= 40


@EVERY
def test_a_description_says_what_it_does_and_which_sibling_to_use_instead(tool: Tool) -> None:
    assert len(tool.description) <= 1000
    first = tool.description.split(maxsplit=1)[0]
    assert first[0].isupper()
    assert first.endswith("s"), f"begins with {first}, not with what it does"
    assert tool.description[-1] in ".}"
    assert not re.search(r"\b[A-Z]{5,}\b|!", tool.description), "shouts"
    if tool.name != "check_connection":
        assert (set(MENTION.findall(tool.description)) & NAMES) - {tool.name}, "names no sibling"


@EVERY
def test_every_tool_a_description_names_exists(tool: Tool) -> None:
    said = [
        tool.description,
        *(member.get("description", "") for _, member in members(schemas.build_input_schema(tool))),
    ]
    arguments = {name for name, _ in members(schemas.build_input_schema(tool))}
    verbs = {name.split("_")[0] for name in NAMES}
    named = {word for text in said for word in MENTION.findall(text) if word.split("_")[0] in verbs}
    assert named - NAMES - arguments == set()


@EVERY
def test_every_parameter_is_described(tool: Tool) -> None:
    assert [name for name, member in members(schemas.build_input_schema(tool)) if not member.get("description")] == []


@EVERY
def test_every_id_says_where_it_comes_from(tool: Tool) -> None:
    silent = [
        name
        for name, member in members(schemas.build_input_schema(tool))
        if re.search(r"(^|_)ids?$", name) and name != "external_user_id"
        if "from" not in member["description"] and not set(MENTION.findall(member["description"])) & NAMES
    ]
    assert silent == []


@EVERY
def test_the_effect_and_the_permissions_agree(tool: Tool) -> None:
    verbs = {permission.verb for permission in tool.permissions}
    match tool.effect:
        case Effect.READ:
            assert verbs <= {Verb.READ}
        case Effect.CREATE:
            assert Verb.CREATE in verbs
            assert Verb.DELETE not in verbs
        case Effect.CHANGE:
            assert Verb.UPDATE in verbs
            assert Verb.DELETE not in verbs
        case Effect.DESTROY:
            assert Verb.DELETE in verbs


@EVERY
def test_the_effect_and_the_requests_agree(tool: Tool) -> None:
    methods = {operation.method for operation in tool.operations}
    assert (methods <= {"GET"}) == (tool.effect is Effect.READ)
    assert "DELETE" not in methods or tool.effect is Effect.DESTROY


@EVERY
def test_only_check_connection_needs_no_permission(tool: Tool) -> None:
    assert bool(tool.permissions) == (tool.name != "check_connection")


@EVERY
def test_no_argument_can_choose_the_tenant(tool: Tool) -> None:
    names = {name for name, _ in members(schemas.build_input_schema(tool))}
    assert [
        name for name in names if re.search(r"organi[sz]ation|tenant|(^|_)org(_|$)|api_domain|subdomain", name)
    ] == []


@EVERY
def test_every_list_is_paged_the_same_way(tool: Tool) -> None:
    is_list = tool.name.startswith("list_")
    assert issubclass(tool.takes, PageOf) == is_list
    assert issubclass(tool.gives, Page) == is_list
    if is_list:
        mine, common = (
            schemas.build_input_schema(tool)["properties"],
            schemas._lean(PageOf.model_json_schema())["properties"],
        )
        assert {name: mine[name] for name in ("limit", "cursor")} == common


@EVERY
def test_creating_is_repeat_safe_and_destroying_is_confirmed(tool: Tool) -> None:
    assert issubclass(tool.takes, ConfirmedInput) == (tool.effect is Effect.DESTROY)
    if tool.effect is Effect.CREATE:
        assert issubclass(tool.takes, IdempotentInput)


@EVERY
def test_the_schema_is_one_object_of_plain_json(tool: Tool) -> None:
    schema = schemas.build_input_schema(tool)
    assert schema["type"] == "object"
    assert not {"anyOf", "oneOf", "allOf", "$ref"} & schema.keys()
    assert set(types(schema)) <= {"object", "array", "string", "integer", "number", "boolean"}


@EVERY
def test_unknown_arguments_and_look_alike_types_are_refused(tool: Tool) -> None:
    schema = schemas.build_input_schema(tool)
    assert schema["additionalProperties"] is False
    with pytest.raises(ValidationError, match="extra_forbidden"):
        tool.takes.model_validate({"no_such_argument": 1})
    for name, member in schema.get("properties", {}).items():
        if member.get("type") in {"integer", "number", "boolean"}:
            with pytest.raises(ValidationError) as refused:
                tool.takes.model_validate({name: "1"})
            assert (name,) in {error["loc"] for error in refused.value.errors()}


@EVERY
def test_members_that_name_communities_have_the_agreed_names(tool: Tool) -> None:
    names = {name for name, _ in members(schemas.build_input_schema(tool)) if "communit" in name}
    assert names - {"community_type"} <= {"community_id", "additional_community_ids"}


@EVERY
def test_a_tool_stands_in_a_known_toolset(tool: Tool) -> None:
    assert tool.toolset in TOOLSETS


def test_no_toolset_is_empty_and_the_default_ones_exist() -> None:
    assert {tool.toolset for tool in CATALOGUE} == set(TOOLSETS)
    assert DEFAULT.issubset(TOOLSETS)


def test_the_operations_are_those_of_the_api_document() -> None:
    assert {one.id: (one.method, one.path) for one in OPERATIONS} == document.operations


def test_every_operation_is_reached_or_has_a_reason() -> None:
    reached = {operation.id for tool in CATALOGUE for operation in tool.operations}
    assert len(OPERATIONS) == 88
    assert reached | OUT_OF_REACH.keys() == {operation.id for operation in OPERATIONS}
    assert reached & OUT_OF_REACH.keys() == set()
    assert all(OUT_OF_REACH.values())


@EVERY
def test_what_destroys_can_say_what_it_would_destroy_and_nothing_else_asks(tool: Tool) -> None:
    assert (tool.preview is not None) == (tool.effect is Effect.DESTROY)


@EVERY
def test_a_schema_is_whole_in_itself(tool: Tool) -> None:
    text = json.dumps(schemas.build_input_schema(tool))
    assert "$ref" not in text
    assert "$defs" not in text


@EVERY
def test_an_object_without_members_says_what_goes_in(tool: Tool) -> None:
    for name, member in members(schemas.build_input_schema(tool)):
        assert member.get("type") != "object" or member.get("properties") or member.get("description"), name


@EVERY
@given(data=st.data())
@settings(max_examples=10, suppress_health_check=list(HealthCheck), deadline=None)
def test_null_is_absent(tool: Tool, data: st.DataObject) -> None:
    said = data.draw(arguments(tool))
    optional = [name for name, field in tool.takes.model_fields.items() if not field.is_required()]
    try:
        plain = tool.takes.model_validate(said)
    except (ValidationError, ToolError):
        return
    assert tool.takes.model_validate(dict.fromkeys(optional) | said) == plain


def test_a_null_that_is_required_or_unknown_is_told() -> None:
    tool = next(tool for tool in CATALOGUE if tool.name == "get_challenge")
    for said, problem in (({"id": None}, "missing"), ({"id": HEX, "colour": None}, "not an argument")):
        with pytest.raises(ToolError) as refused:
            validate(tool, said)
        assert problem in refused.value.fields[0].problem


def test_an_empty_text_is_told_to_be_left_out() -> None:
    tool = next(tool for tool in CATALOGUE if tool.name == "get_challenge")
    with pytest.raises(ToolError) as refused:
        validate(tool, {"id": HEX, "language": ""})
    assert "leave it out" in refused.value.fields[0].problem


@EVERY
def test_a_tool_that_may_make_many_requests_says_so(tool: Tool) -> None:
    """The fast path has no progress to tell; reports read many pages of what may be one operation."""
    assert tool.progress is (len(tool.operations) > 1 or tool.toolset == "reports")
