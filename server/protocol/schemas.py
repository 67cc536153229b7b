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
    """The tool as tools/list shows it; its hints derive from its effect.

    Hints equal to the protocol's default are left out, openWorldHint among them: answers carry what users wrote.
    """
    effect = one.effect
    writes = effect is not Effect.READ
    return t.Tool(
        name=one.name,
        description=one.description,
        input_schema=build_input_schema(one),
        output_schema=RESULT_SCHEMA,
        annotations=t.ToolAnnotations(
            read_only_hint=None if writes else True,
            destructive_hint=effect is Effect.DESTROY if writes else None,
            idempotent_hint=True if effect in (Effect.CHANGE, Effect.DESTROY) else None,
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
    """The JSON Schema of a tool's arguments, without the words that only repeat member names."""
    schema: dict[str, Any] = _lean(one.takes.model_json_schema())
    for model in (schema, *schema.get("$defs", {}).values()):
        model.pop("description", None)  # a model's docstring is for those who read the code
    return schema


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
