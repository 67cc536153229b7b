"""What the catalogue and its answers look like on the wire: MCP tools, and one envelope for answers and refusals."""

import json
from typing import Any

import mcp.types as t

from server.pipeline.envelope import Envelope
from tools.prompts import Prompt
from tools.resources import Resource
from tools.spec import Effect, Tool

RESULT_SCHEMA: dict[str, Any] = {"type": "object", "required": ["ok"]}
"""Every tool's outputSchema: small, and true of successes and failures alike, since some clients validate both."""


def describe_tool(one: Tool) -> t.Tool:
    """The tool as tools/list shows it; its hints derive from its effect, and the title people see from its name.

    Every hint is said, also where it is the protocol's default, since directories and permission dialogues read them.
    """
    effect = one.effect
    return t.Tool(
        name=one.name,
        title=one.name.replace("_", " ").capitalize(),
        description=one.description,
        input_schema=build_input_schema(one),
        output_schema=RESULT_SCHEMA,
        annotations=t.ToolAnnotations(
            read_only_hint=effect is Effect.READ,
            destructive_hint=effect is Effect.DESTROY,
            idempotent_hint=effect is not Effect.CREATE,
            open_world_hint=True,  # answers carry what users wrote
        ),
    )


def describe_prompt(one: Prompt) -> t.Prompt:
    """The prompt as prompts/list shows it."""
    blanks = [
        t.PromptArgument(name=each.name, description=each.description, required=each.required) for each in one.arguments
    ]
    return t.Prompt(name=one.name, description=one.description, arguments=blanks)


def describe_resource(one: Resource) -> t.Resource:
    """The resource as resources/list shows it."""
    return t.Resource(uri=one.uri, name=one.name, description=one.description, mime_type=one.mime)


def build_input_schema(one: Tool) -> dict[str, Any]:
    """The JSON Schema of a tool's arguments, whole in itself and without the words that only repeat member names.

    Some clients drop a tool whose schema holds `$ref`, and written out it is no longer than before.
    """
    schema: dict[str, Any] = _lean(one.takes.model_json_schema())
    models = schema.pop("$defs", {})
    for model in (schema, *models.values()):
        model.pop("description", None)  # a model's docstring is for those who read the code
    whole: dict[str, Any] = _inline(schema, models)
    return whole


def _inline(schema: Any, models: dict[str, Any]) -> Any:
    """Every `$ref` replaced by what it names; what stands beside it, such as a description, wins."""
    if isinstance(schema, list):
        return [_inline(inner, models) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return _inline(models[schema["$ref"].rpartition("/")[2]] | beside, models)
    return {key: _inline(value, models) for key, value in schema.items()}


def build_result(envelope: Envelope) -> t.CallToolResult:
    """The MCP result: text and structured content carry the same JSON, as clients show a model only one of them."""
    return t.CallToolResult(
        content=[t.TextContent(type="text", text=envelope.text)],
        structured_content=json.loads(envelope.text),
        is_error=envelope.refusal is not None,
    )


def _lean(schema: Any, *, named: bool = False) -> Any:
    """Drop titles, empty defaults and the null branch of optional members: absent says the same."""
    if isinstance(schema, list):
        return [_lean(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    if named:
        return {name: _lean(inner) for name, inner in schema.items()}
    slim = {
        key: _lean(value, named=key in ("properties", "$defs"))
        for key, value in schema.items()
        if key != "title" and not (key == "default" and value in (None, False, 0, []))
    }
    options = slim.get("anyOf")
    if options is not None and {"type": "null"} in options:
        rest = [option for option in options if option != {"type": "null"}]
        if len(rest) == 1:
            del slim["anyOf"]
            slim = rest[0] | slim
        else:
            slim["anyOf"] = rest
    return slim
