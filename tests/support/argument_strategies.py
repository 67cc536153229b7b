"""Arguments that a tool's published schema allows, as a property-based strategy."""

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from server.protocol import schemas
from tests.support.schema_samples import HEX
from tools.shared.field_selection import Selecting
from tools.spec import Tool

SOME = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    phases=(Phase.generate,),  # shrinking an argument object takes minutes and shows little more
    suppress_health_check=list(HealthCheck),
)
"""How often an argument object is drawn."""

Known = Mapping[str, Sequence[str]]
"""Values for members whose legal ones the schema cannot say, by name."""

TAG = "2026-12-24T18:00:00Z"
"""The name of the one tag that a sample of the API has."""

_EARLY, _LATE = "2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"


def arguments(tool: Tool) -> st.SearchStrategy[dict[str, Any]]:
    """Whole argument objects; optional members come and go."""
    schema = schemas.build_input_schema(tool)
    fields = list(tool.takes.selects.model_fields) if issubclass(tool.takes, Selecting) else []
    return _object(schema, schema.get("$defs", {}), {"fields": fields, "tags": [HEX, TAG]})


def slips(tool: Tool) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """A member, and an argument object in which that one member is wrong and all others are legal alone."""
    schema = schemas.build_input_schema(tool)
    members = schema.get("properties", {})
    wrong = [(name, value) for name, inner in members.items() for value in _wrong(inner, schema.get("$defs", {}))]
    unknown = st.from_regex(r"[a-z_]{1,20}", fullmatch=True).filter(lambda name: name not in members)
    slip = st.one_of(
        st.tuples(unknown, st.text(max_size=9)),
        *([st.sampled_from(wrong)] if wrong else []),
        *([st.sampled_from(schema["required"]).map(lambda name: (name, _ABSENT))] if schema.get("required") else []),
    )
    return st.builds(_slipped, slip, arguments(tool))


_ABSENT = object()


def _slipped(slip: tuple[str, Any], said: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    name, value = slip
    others = {other: one for other, one in said.items() if other != name}
    return name, others if value is _ABSENT else others | {name: value}


def _wrong(schema: dict[str, Any], defs: dict[str, Any]) -> list[Any]:
    """Values just outside of what a member may be."""
    if "$ref" in schema:
        return _wrong(defs[schema["$ref"].removeprefix("#/$defs/")], defs)
    if "anyOf" in schema:
        return [{"neither": "this"}, *(_wrong(schema["anyOf"][0], defs) if len(schema["anyOf"]) == 2 else ())]
    if "enum" in schema:
        return ["no such word", 7, ""]
    match schema.get("type"):
        case "string":
            long = ["x" * (schema["maxLength"] + 1)] if "maxLength" in schema else []
            strange = ["\x00 / \n"] if "pattern" in schema or "format" in schema else []
            return [7, ["x"], {"x": 1}, *long, *strange]
        case "integer" | "number":
            low = [schema["minimum"] - 1] if "minimum" in schema else []
            high = [schema["maximum"] + 1] if "maximum" in schema else []
            return ["many", [1], *low, *high]
        case "boolean":
            return ["perhaps", 7, []]
        case "array":
            return ["x", 7, {"x": 1}, *([[]] if schema.get("minItems") else [])]
        case _:
            return ["x", 7, []]


def _object(schema: dict[str, Any], defs: dict[str, Any], known: Known) -> st.SearchStrategy[dict[str, Any]]:
    members = {name: _value(name, inner, defs, known) for name, inner in schema.get("properties", {}).items()}
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: value for name, value in members.items() if name in required},
        optional={name: value for name, value in members.items() if name not in required},
    )


def _value(name: str, schema: dict[str, Any], defs: dict[str, Any], known: Known) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _value(name, defs[schema["$ref"].removeprefix("#/$defs/")], defs, known)
    if "anyOf" in schema:
        return st.one_of([_value(name, option, defs, known) for option in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "string":
            return _string(name, schema)
        case "integer" | "number":
            return st.integers(schema.get("minimum", 0), schema.get("maximum", 1_000_000))
        case "boolean":
            return st.booleans()
        case "array":
            inner = (
                st.sampled_from(known[name]) if name in known else _value(name, schema.get("items", {}), defs, known)
            )
            low = schema.get("minItems", 0)
            return st.lists(inner, min_size=low, max_size=min(schema.get("maxItems", low + 2), low + 2))
        case "object" if "properties" in schema:
            return _object(schema, defs, known)
        case _:
            return st.just({})


def _string(name: str, schema: dict[str, Any]) -> st.SearchStrategy[str]:
    if schema.get("format") == "date-time":
        return st.just(_LATE if name.startswith(("expires", "end")) else _EARLY)
    if "pattern" in schema:
        return st.from_regex(schema["pattern"].removesuffix("$") + r"\Z").filter(
            lambda text: len(text) <= schema.get("maxLength", 500)
        )
    return st.text(min_size=schema.get("minLength", 0), max_size=min(schema.get("maxLength", 40), 40))
