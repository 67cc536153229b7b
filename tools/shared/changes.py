"""From a tool's arguments to the API's body: camelCase, only what was said."""

from typing import Any

from pydantic.alias_generators import to_camel

from tools.spec import ToolInput


def changes(given: ToolInput, *without: str) -> dict[str, Any]:
    """The members that were set, named as the API names them, nested models included.

    Parameters:
        given: validated arguments.
        without: members that travel elsewhere (path, header, our own).
    """
    said = given.model_dump(exclude_unset=False, exclude_none=True, exclude=set(without))
    return {to_camel(name): _camel(value) for name, value in said.items()}


def _camel(value: Any) -> Any:
    match value:
        case dict():
            return {to_camel(name): _camel(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_camel(inner) for inner in value]
        case _:
            return value
