"""Fixture tools that answer at once: every kind of content, an error, progress, logging, headers and schemas."""

import anyio
import mcp.types as t
from mcp import MCPError
from mcp.server.subscriptions import InMemorySubscriptionBus
from mcp.shared.subscriptions import PromptsListChanged, ToolsListChanged

from tests.conformance.fixture import PNG, WAV, Answer, Context, Fixture, text

BUS = InMemorySubscriptionBus()

SCHEMA_2020_12 = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
MIRRORED = {
    "type": "object",
    "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
    "required": ["region"],
}

_IMAGE = t.ImageContent(type="image", data=PNG, mime_type="image/png")


def _resource(uri: str, kind: str, words: str) -> t.EmbeddedResource:
    return t.EmbeddedResource(type="resource", resource=t.TextResourceContents(uri=uri, mime_type=kind, text=words))


async def _simple(_ctx: Context, _params: t.CallToolRequestParams) -> Answer:
    return text("This is a simple text response for testing.")


async def _picture(_ctx: Context, _params: t.CallToolRequestParams) -> Answer:
    return t.CallToolResult(content=[_IMAGE])


async def _audio(_ctx: Context, _params: t.CallToolRequestParams) -> Answer:
    return t.CallToolResult(content=[t.AudioContent(type="audio", data=WAV, mime_type="audio/wav")])


async def _embedded(_ctx: Context, _params: t.CallToolRequestParams) -> Answer:
    words = "This is an embedded resource content."
    return t.CallToolResult(content=[_resource("test://embedded-resource", "text/plain", words)])


async def _mixed(_ctx: Context, _params: t.CallToolRequestParams) -> Answer:
    resource = _resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
    words = t.TextContent(type="text", text="Multiple content types test:")
    return t.CallToolResult(content=[words, _IMAGE, resource])


async def _error(_ctx: Context, _params: t.CallToolRequestParams) -> Answer:
    return text("This tool intentionally returns an error for testing", is_error=True)


async def _progress(ctx: Context, _params: t.CallToolRequestParams) -> Answer:
    for done in (0, 50, 100):
        await ctx.session.report_progress(done, 100)
        await anyio.sleep(0.05)
    return text("Done.")


async def _logging(ctx: Context, _params: t.CallToolRequestParams) -> Answer:
    for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.session.send_log_message("info", words, related_request_id=ctx.request_id)
        await anyio.sleep(0.05)
    return text("Done.")


async def _quiet(_ctx: Context, _params: t.CallToolRequestParams) -> Answer:
    return text("Done.")


async def _reconnection(ctx: Context, _params: t.CallToolRequestParams) -> Answer:
    if ctx.close_sse_stream is not None:
        await ctx.close_sse_stream()
    return text("Done.")


async def _needs_sampling(ctx: Context, _params: t.CallToolRequestParams) -> Answer:
    if ctx.session.client_capabilities is None or ctx.session.client_capabilities.sampling is None:
        needed: dict[str, dict[str, object]] = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(code=t.MISSING_REQUIRED_CLIENT_CAPABILITY, message="sampling is needed", data=needed)
    return text("Done.")


async def _tools_change(_ctx: Context, _params: t.CallToolRequestParams) -> Answer:
    await BUS.publish(ToolsListChanged())
    return text("Done.")


async def _prompts_change(_ctx: Context, _params: t.CallToolRequestParams) -> Answer:
    await BUS.publish(PromptsListChanged())
    return text("Done.")


ANSWERS = (
    Fixture("test_simple_text", _simple),
    Fixture("test_image_content", _picture),
    Fixture("test_audio_content", _audio),
    Fixture("test_embedded_resource", _embedded),
    Fixture("test_multiple_content_types", _mixed),
    Fixture("test_error_handling", _error),
    Fixture("test_tool_with_progress", _progress),
    Fixture("test_tool_with_logging", _logging),
    Fixture("test_logging_tool", _logging),
    Fixture("test_streaming_elicitation", _quiet),
    Fixture("test_reconnection", _reconnection),
    Fixture("test_missing_capability", _needs_sampling),
    Fixture("test_trigger_tool_change", _tools_change),
    Fixture("test_trigger_prompt_change", _prompts_change),
    Fixture("json_schema_2020_12_tool", _quiet, SCHEMA_2020_12),
    Fixture("test_mirrored_header", _quiet, MIRRORED),
)
