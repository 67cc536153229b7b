"""The API document, and JSON that it allows."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import tools.api
from tools.spec import Operation

HEX = "0123456789abcdef01234567"
_WHOLE: dict[str, Any] = json.loads(Path(tools.api.__file__).with_name("openapi.json").read_text(encoding="utf-8"))
COMPONENTS = {"components": _WHOLE["components"]}


class Document:
    """The operations of the API document, references resolved."""

    def __call__(self, operation: Operation) -> dict[str, Any]:
        """What the document says of an operation, its path's parameters included."""
        return _described(operation.path, operation.method.lower())

    @staticmethod
    def resolve(schema: Any) -> dict[str, Any]:
        """The schema a reference stands for."""
        found: dict[str, Any] = schema
        while "$ref" in found:
            node: Any = _WHOLE
            for step in found["$ref"].removeprefix("#/").split("/"):
                node = node[step]
            found = node
        return found

    @property
    def operations(self) -> dict[str, tuple[str, str]]:
        """operationId -> method and path, of everything in the document."""
        methods = {"get", "post", "put", "patch", "delete"}
        return {
            described["operationId"]: (method.upper(), path)
            for path, item in _WHOLE["paths"].items()
            for method, described in item.items()
            if method in methods
        }


document = Document()


@cache
def _described(path: str, method: str) -> dict[str, Any]:
    item = _WHOLE["paths"][path]
    parameters = [*item.get("parameters", ()), *item[method].get("parameters", ())]
    described: dict[str, Any] = item[method] | {"parameters": [document.resolve(one) for one in parameters]}
    return described


def sample(schema: Any, planted: str | None = None) -> Any:
    """A value of the schema with every member filled; `planted` stands in every object as a member nobody knows."""
    known = document.resolve(schema)
    if "enum" in known:
        return known["enum"][0]
    if known.get("additionalProperties") is True:
        planted = None  # the document leaves it open, so nothing in it is unknown
    kind = known.get("type")
    match kind[0] if isinstance(kind, list) else kind:
        case "array":
            return [sample(known.get("items", {}), planted)]
        case "integer" | "number":
            return max(1, known.get("minimum", 1))
        case "boolean":
            return True
        case "string":
            return HEX if "pattern" in known else "2026-12-24T18:00:00Z"
        case "object" if "properties" in known:
            filled = {name: sample(inner, planted) for name, inner in known["properties"].items()}
            return filled | ({"plantedSecret": planted} if planted else {})
        case _:
            return {}
