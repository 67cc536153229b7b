"""Fixture prompts and resources, with completion, log level and subscriptions."""

import json
import re

import mcp.types as t
from mcp import MCPError

from tests.conformance.fixture import PNG, Context
from tests.conformance.rounds import ask, filled, needs

_PROMPTS = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}
_RESOURCES = {
    "test://static-text": ("text/plain", "This is the content of the static text resource."),
    "test://static-binary": ("image/png", PNG),
    "test://watched-resource": ("text/plain", "Watched."),
}
_TEMPLATE = re.compile(r"test://template/([^/]+)/data")


async def list_prompts(_ctx: Context, _params: t.PaginatedRequestParams | None) -> t.ListPromptsResult:
    """prompts/list."""
    return t.ListPromptsResult(
        prompts=[
            t.Prompt(
                name=name,
                description="A fixture.",
                arguments=[t.PromptArgument(name=one, required=True) for one in arguments],
            )
            for name, arguments in _PROMPTS.items()
        ]
    )


async def get_prompt(_ctx: Context, params: t.GetPromptRequestParams) -> t.GetPromptResult | t.InputRequiredResult:
    """prompts/get."""
    given = params.arguments or {}
    match params.name:
        case "test_simple_prompt":
            return _says(_words("This is a simple prompt for testing."))
        case "test_prompt_with_arguments":
            return _says(_words(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'"))
        case "test_prompt_with_embedded_resource":
            held = t.TextResourceContents(
                uri=given["resourceUri"], mime_type="text/plain", text="Embedded resource content for testing."
            )
            resource = t.EmbeddedResource(type="resource", resource=held)
            return _says(resource, _words("Please process the embedded resource above."))
        case "test_prompt_with_image":
            image = t.ImageContent(type="image", data=PNG, mime_type="image/png")
            return _says(image, _words("Please analyze the image above."))
        case "test_input_required_result_prompt":
            context = filled(params, "user_context", "context")
            if context is None:
                return needs({"user_context": ask("What context should the prompt use?", "context")})
            return _says(_words(context))
    raise MCPError(code=t.INVALID_PARAMS, message="Unknown prompt")


def _words(words: str) -> t.TextContent:
    return t.TextContent(type="text", text=words)


def _says(*contents: t.ContentBlock) -> t.GetPromptResult:
    return t.GetPromptResult(messages=[t.PromptMessage(role="user", content=content) for content in contents])


async def list_resources(_ctx: Context, _params: t.PaginatedRequestParams | None) -> t.ListResourcesResult:
    """resources/list."""
    return t.ListResourcesResult(
        resources=[
            t.Resource(uri=uri, name=uri.removeprefix("test://"), description="A fixture.", mime_type=kind)
            for uri, (kind, _) in _RESOURCES.items()
        ]
    )


async def list_templates(_ctx: Context, _params: t.PaginatedRequestParams | None) -> t.ListResourceTemplatesResult:
    """resources/templates/list."""
    template = t.ResourceTemplate(uri_template="test://template/{id}/data", name="template", description="A fixture.")
    return t.ListResourceTemplatesResult(resource_templates=[template])


async def read_resource(_ctx: Context, params: t.ReadResourceRequestParams) -> t.ReadResourceResult:
    """resources/read."""
    uri = str(params.uri)
    if (found := _TEMPLATE.fullmatch(uri)) is not None:
        data = json.dumps({"id": found[1], "templateTest": True, "data": f"Data for ID: {found[1]}"})
        return _read(t.TextResourceContents(uri=uri, mime_type="application/json", text=data))
    if uri not in _RESOURCES:
        raise MCPError(code=t.INVALID_PARAMS, message="Resource not found", data={"uri": uri})
    kind, held = _RESOURCES[uri]
    if kind == "image/png":
        return _read(t.BlobResourceContents(uri=uri, mime_type=kind, blob=held))
    return _read(t.TextResourceContents(uri=uri, mime_type=kind, text=held))


def _read(contents: t.TextResourceContents | t.BlobResourceContents) -> t.ReadResourceResult:
    return t.ReadResourceResult(contents=[contents])


async def complete(_ctx: Context, params: t.CompleteRequestParams) -> t.CompleteResult:
    """completion/complete."""
    values = [word for word in ("paris", "park", "party") if word.startswith(params.argument.value)]
    return t.CompleteResult(completion=t.Completion(values=values, total=len(values), has_more=False))


async def accept(
    _ctx: Context, _params: t.SubscribeRequestParams | t.UnsubscribeRequestParams | t.SetLevelRequestParams
) -> t.EmptyResult:
    """resources/subscribe, resources/unsubscribe and logging/setLevel: heard, and nothing follows."""
    return t.EmptyResult()
