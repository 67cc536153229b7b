"""The API document the tenant serves, and the checks that follow from it: what it does not describe is refused."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any

from server.sandbox.faults import Fault

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

_URI = "urn:nudj:admin-api"
_METHODS = ("get", "post", "put", "patch", "delete")
_TYPES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    dict: "object",
    list: "array",
    type(None): "null",
}


@dataclass(frozen=True, slots=True)
class Described:
    """One operation as the document describes it.

    `parameters` are JSON schemas by (place, name); `takes` and `gives` are references to schemas.
    """

    id: str
    method: str
    path: str
    parameters: Mapping[tuple[str, str], Mapping[str, Any]]
    required: frozenset[tuple[str, str]]
    takes: str | None
    gives: Mapping[str, Any]


class Document:
    """The document, read once; its schemas are compiled when first needed."""

    def __init__(self) -> None:
        self.text = resources.files("tools.api").joinpath("openapi.json").read_bytes()
        self._raw = json.loads(self.text)
        self.operations = tuple(self._operations())
        self._compiled: dict[str, Validator] = {}

    def members(self, schema: str) -> frozenset[str]:
        """Names of the members a component schema lists."""
        return frozenset(self._raw["components"]["schemas"][schema]["properties"])

    def parameters(
        self, operation: Described, path: Mapping[str, str], query: Iterable[tuple[str, str]], language: str | None
    ) -> dict[str, Any]:
        """Check everything but the body and return the query, typed.

        Raises:
            Fault: 400, naming the parameter.
        """
        given: dict[tuple[str, str], Any] = {("path", name): value for name, value in path.items()}
        if language is not None and ("header", "x-language") in operation.parameters:
            given["header", "x-language"] = language
        for name, text in query:
            place = ("query", name)
            if place in given or place not in operation.parameters:
                why = "Given twice" if place in given else "Unrecognized key"
                raise Fault(400, f"query.{name[:80]}: {why}")
            given[place] = _coerce(text, operation.parameters[place])
        for place in operation.required - given.keys():
            raise Fault(400, f"{place[0]}.{place[1]}: Required")
        for (where, name), value in given.items():
            self._check(f"{where}.{name}", operation.parameters[where, name], value)
        return {name: value for (where, name), value in given.items() if where == "query"}

    def body(self, operation: Described, value: Any) -> None:
        """Check a request body.

        Raises:
            Fault: 400, naming every wrong member as the product does (`body.communityId: Required`).
        """
        if operation.takes is not None:
            self._check("body", {"$ref": operation.takes}, value)

    def answer_errors(self, operation: Described, value: Any) -> list[str]:
        """What is wrong with an answer of ours; for tests."""
        return [str(error.message) for error in self._validator(operation.gives).iter_errors(value)]

    def _check(self, name: str, schema: Mapping[str, Any], value: Any) -> None:
        faults = sorted({_explain(name, error) for error in self._validator(schema).iter_errors(value)})
        if faults:
            raise Fault(400, "; ".join(faults[:10]))

    def _validator(self, schema: Mapping[str, Any]) -> "Validator":
        key = json.dumps(schema)
        if key not in self._compiled:
            from jsonschema import Draft202012Validator  # noqa: PLC0415 - a tenth of a second that a start need not wait for

            rooted = json.loads(key.replace('"#/', f'"{_URI}#/'))
            self._compiled[key] = Draft202012Validator(rooted, registry=self._registry, format_checker=self._formats)
        return self._compiled[key]

    @cached_property
    def _registry(self) -> Any:
        from referencing import Registry, Resource  # noqa: PLC0415 - as above
        from referencing.jsonschema import DRAFT202012  # noqa: PLC0415 - as above

        resource: Resource[Any] = Resource.from_contents(self._raw, default_specification=DRAFT202012)
        return Registry().with_resource(_URI, resource)

    @cached_property
    def _formats(self) -> Any:
        from jsonschema import FormatChecker  # noqa: PLC0415 - as above

        formats = FormatChecker(formats=())
        formats.checks("date-time", raises=ValueError)(_is_moment)
        formats.checks("email")(lambda text: not isinstance(text, str) or bool(_EMAIL.fullmatch(text)))
        return formats

    def _operations(self) -> Iterable[Described]:
        for path, item in self._raw["paths"].items():
            base = item.get("servers", self._raw["servers"])[0]["url"]
            for method in _METHODS:
                if method in item:
                    yield self._operation(base + path, method, item[method], item.get("parameters", []))

    def _operation(self, path: str, method: str, raw: Mapping[str, Any], shared: list[Any]) -> Described:
        listed = [self._resolve(parameter) for parameter in (*shared, *raw.get("parameters", ()))]
        places = {(parameter["in"], parameter["name"]): parameter for parameter in listed}
        takes = raw.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {}).get("$ref")
        return Described(
            id=raw["operationId"],
            method=method.upper(),
            path=path,
            parameters={place: parameter["schema"] for place, parameter in places.items()},
            required=frozenset(place for place, parameter in places.items() if parameter.get("required")),
            takes=takes,
            gives=raw["responses"]["200"]["content"]["application/json"]["schema"],
        )

    def _resolve(self, parameter: Mapping[str, Any]) -> Mapping[str, Any]:
        reference = parameter.get("$ref")
        if reference is None:
            return parameter
        found: Mapping[str, Any] = self._raw["components"]["parameters"][reference.rsplit("/", 1)[1]]
        return found


_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")


def _is_moment(text: object) -> bool:
    return not isinstance(text, str) or ("T" in text and datetime.fromisoformat(text).tzinfo is not None)


def _coerce(text: str, schema: Mapping[str, Any]) -> Any:
    """A query value as its schema's type; left as text, and so refused, when it is not one."""
    if schema.get("type") == "integer" and re.fullmatch(r"-?[0-9]{1,15}", text):
        return int(text)
    if schema.get("type") == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _explain(name: str, error: "ValidationError") -> str:
    where = ".".join((name, *(str(step) for step in error.absolute_path)))
    rule: str = str(error.validator)
    limit: Any = error.validator_value
    schema: Any = error.schema
    instance: Any = error.instance
    if rule == "required":
        missing = [member for member in limit if member not in instance]
        return "; ".join(f"{where}.{member}: Required" for member in missing)
    if rule == "additionalProperties":
        known = schema.get("properties", {})
        return f"{where}: Unrecognized key(s): " + ", ".join(sorted(str(key)[:80] for key in instance.keys() - known))
    if rule == "type":
        return f"{where}: Expected {limit}, received {_TYPES[type(instance)]}"
    if rule == "enum":
        return f"{where}: Invalid enum value. Expected {' | '.join(map(repr, limit))}"
    return f"{where}: Invalid ({rule} {str(limit)[:80]})"
