"""A tool call's arguments: unjudged JSON becomes the tool's input model, or a refusal that names each wrong field."""

import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tools.refusals import Code, Field, ToolError
from tools.spec import Tool, ToolInput

MOST_MEMBERS = 1_000
"""Members of one array or object of a call's arguments, at any depth; what a tool says of its own is never more."""

MOST_IN_ALL = 20_000
"""Members of all of them together."""


def validate(tool: Tool, arguments: Mapping[str, Any]) -> ToolInput:
    """Validate.

    Raises:
        ToolError: arguments_invalid, with a JSON pointer, the problem and a legal value for every wrong field.
    """
    _check_sizes(tool, arguments)
    try:
        return tool.takes.model_validate(arguments)
    except ValidationError as wrong:
        fields = [_describe_field(tool, error) for error in wrong.errors(include_url=False)[:20]]
    where = ", ".join(field.pointer or "/" for field in fields)
    raise ToolError(
        Code.ARGUMENTS_INVALID,
        f"{len(fields)} argument(s) of {tool.name} cannot be used: {where}.",
        f"Correct the fields listed and call {tool.name} again.",
        fields=fields,
    )


def _check_sizes(tool: Tool, arguments: Mapping[str, Any]) -> None:
    """Lengths and numbers in one pass before any model: a model looks at every member, and keeps a fault of each."""
    waiting: list[tuple[str, Any]] = [("", arguments)]
    total = 0
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, float) and not math.isfinite(value):
            raise _build_unusable(tool, pointer, "is not a finite number", "a finite number")
        if isinstance(value, Mapping | list):
            if len(value) > MOST_MEMBERS:
                most = f"at most {MOST_MEMBERS} members"
                raise _build_unusable(tool, pointer, f"has {len(value)} members, more than {MOST_MEMBERS}", most)
            total += len(value)
            if total > MOST_IN_ALL:
                most = f"at most {MOST_IN_ALL} in all"
                raise _build_unusable(tool, pointer, f"makes more than {MOST_IN_ALL} members in all", most)
            pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
            waiting += [
                (_point(pointer, name), member) for name, member in pairs if isinstance(member, Mapping | list | float)
            ]


def _point(pointer: str, name: Any) -> str:
    """One step further; names come from the caller and may be anything, so they are cut."""
    return f"{pointer}/{str(name)[:64].replace('~', '~0').replace('/', '~1')}"


def _build_unusable(tool: Tool, pointer: str, problem: str, legal: str) -> ToolError:
    return ToolError(
        Code.ARGUMENTS_INVALID,
        f"1 argument(s) of {tool.name} cannot be used: {pointer or '/'}.",
        f"Correct the fields listed and call {tool.name} again.",
        fields=(Field(pointer, problem, legal),),
    )


def canonicalise(given: ToolInput, *without: str) -> bytes:
    """The arguments as one unambiguous byte string, for comparing one call with another."""
    said = given.model_dump(mode="json", exclude=set(without))
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def _describe_field(tool: Tool, error: ErrorDetails) -> Field:
    """Names come from the caller and may be anything, so they are cut; values are never repeated."""
    steps = [str(step)[:64].replace("~", "~0").replace("/", "~1") for step in error["loc"]]
    return Field("".join(f"/{step}" for step in steps), _describe_problem(error), _describe_legal(tool, error))


def _describe_problem(error: ErrorDetails) -> str:
    if error.get("input") == "":
        return "empty; leave it out if it is not required"
    match error["type"]:
        case "missing":
            return "required, but missing"
        case "extra_forbidden":
            return "not an argument of this tool"
        case "value_error":
            return str(error.get("ctx", {}).get("error", error["msg"]))[:200]
        case _:
            return error["msg"][:200]


def _describe_legal(tool: Tool, error: ErrorDetails) -> str | None:
    context = error.get("ctx", {})
    match error["type"]:
        case "literal_error":
            return str(context.get("expected"))
        case "string_pattern_mismatch":
            return f"text matching {context.get('pattern')}"
        case "extra_forbidden" if len(error["loc"]) == 1:
            return "one of: " + ", ".join(tool.takes.model_fields)
        case "missing" if len(error["loc"]) == 1:
            return tool.takes.model_fields[str(error["loc"][0])].description
    return None
