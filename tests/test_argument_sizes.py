"""Arguments are measured before any model sees them: a model looks at every member and keeps a fault of each."""

import json
from typing import Any

import pytest

from server.pipeline.validation import MOST_MEMBERS, validate
from tools import CATALOGUE
from tools.refusals import Code, ToolError
from tools.spec import Tool

MANY = 200_000


def _list_maxima(schema: Any) -> list[int]:
    if isinstance(schema, list):
        return [most for each in schema for most in _list_maxima(each)]
    if not isinstance(schema, dict):
        return []
    own = [schema[name] for name in ("maxItems", "maxProperties") if isinstance(schema.get(name), int)]
    return own + [most for each in schema.values() for most in _list_maxima(each)]


@pytest.mark.parametrize("tool", CATALOGUE, ids=lambda tool: tool.name)
def test_no_tool_takes_more_members_than_are_let_through(tool: Tool) -> None:
    assert all(most <= MOST_MEMBERS for most in _list_maxima(tool.takes.model_json_schema()))


@pytest.mark.parametrize("tool", CATALOGUE, ids=lambda tool: tool.name)
@pytest.mark.parametrize("value", [[0] * MANY, [{}] * MANY, dict.fromkeys(map(str, range(MANY)))], ids=type)
def test_too_many_members_of_any_argument_are_one_fault(tool: Tool, value: Any) -> None:
    for name in tool.takes.model_fields or ("any",):
        with pytest.raises(ToolError) as refused:
            validate(tool, {name: {"deep": value}})
        assert refused.value.code is Code.ARGUMENTS_INVALID
        assert [field.pointer for field in refused.value.fields] == [f"/{name}/deep"]
        assert str(MOST_MEMBERS) in (refused.value.fields[0].legal or "")


def test_too_many_arguments_are_one_fault() -> None:
    with pytest.raises(ToolError) as refused:
        validate(CATALOGUE[0], dict.fromkeys(map(str, range(MANY)), 0))
    assert [field.pointer for field in refused.value.fields] == [""]


def test_many_small_objects_are_one_fault() -> None:
    with pytest.raises(ToolError) as refused:
        validate(CATALOGUE[0], {"any": [dict.fromkeys(map(str, range(300)), 0)] * 900})
    assert len(refused.value.fields) == 1


@pytest.mark.parametrize("number", ["NaN", "1e400", "-Infinity"])
def test_a_number_that_is_none_is_the_callers_fault(number: str) -> None:
    with pytest.raises(ToolError) as refused:
        validate(CATALOGUE[0], {"any": [{"x": json.loads(number)}]})
    assert refused.value.fields[0].pointer == "/any/0/x"
