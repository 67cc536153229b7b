"""The MCP server: one handler for each MCP method, and nothing that escapes one but an answer or a protocol error."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import anyio
import mcp.types as t
from mcp import MCPError
from mcp.server import Server, ServerRequestContext
from mcp.server.caching import CacheHint
from mcp.types.version import MODERN_PROTOCOL_VERSIONS

from server import __version__
from server.credentials.parsing import PresentedCredentials
from server.pipeline.confirmation import Outcome, build_unagreed
from server.pipeline.connection_state import describe_connection
from server.pipeline.context import CallRequest, Transport
from server.pipeline.context import new_request_id as new_id
from server.pipeline.dispatcher import Dispatcher
from server.pipeline.envelope import REFUSED, Envelope, build_failure
from server.pipeline.faults import UnknownTool
from server.protocol import schemas
from server.protocol.connection_info import build_middleware
from server.protocol.prompts_and_resources import PromptsAndResources, Unknown
from server.upstream.tenant_api import Progress
from tools.refusals import ToolError

INSTRUCTIONS = (
    "Tools of one organisation of a gamified-community platform, scoped by the credentials of this client's config. "
    "Start with check_connection when anything is refused; ids come from the list_ tools. "
    'Every answer is {"ok": true, "data": ...} or {"ok": false, "error": {code, message, hint, ...}}; follow the hint.'
)

LIST_TTL_MS = 30_000
"""How long a client may keep its list of tools; roles change rarely, and every call is judged anew anyway."""

PATIENCE_S = 300.0
"""Seconds a person has to answer a question that is pushed to the client; as long as a confirm value lives."""

QUESTIONS = 8
"""How many questions one caller's person is asked at a time over a stream; each holds a call until it is answered."""

CONSENT: dict[str, Any] = {
    "type": "object",
    "properties": {"agree": {"type": "boolean", "title": "Go ahead", "description": "This cannot be undone."}},
    "required": ["agree"],
}

Context = ServerRequestContext[Any, Any]
Ask = Callable[[Context], CallRequest]
"""How a transport turns a message of the SDK into who asks: from this very message, never from an earlier one."""


class Protocol:
    """The handlers, over the spine."""

    def __init__(self, calls: Dispatcher, references: PromptsAndResources, ask: Ask) -> None:
        self._calls = calls
        self._references = references
        self._ask = ask
        self._wire = {name: schemas.describe_tool(tool) for name, tool in calls.catalogue.items()}
        self._asking: Counter[PresentedCredentials] = Counter()

    def server(self) -> Server[Any]:
        """The SDK's server with our handlers; input schemas are given by name, since listing per call costs more."""
        server: Server[Any] = Server(
            "nudj-mcp",
            version=__version__,
            title="Nudj",
            instructions=INSTRUCTIONS,
            on_list_tools=self.list_tools,
            on_call_tool=self.call_tool,
            on_list_prompts=self.list_prompts,
            on_get_prompt=self.get_prompt,
            on_list_resources=self.list_resources,
            on_list_resource_templates=self.list_resource_templates,
            on_read_resource=self.read_resource,
            on_completion=self.complete,
            get_tool_input_schema=self._input_schema,
            cache_hints={"server/discover": CacheHint(ttl_ms=0, scope="private")},
        )
        server.middleware.append(build_middleware(self._describe))
        return server

    async def _describe(self, ctx: Context) -> str:
        return await describe_connection(self._calls, self._ask(ctx))

    def _input_schema(self, name: str) -> Mapping[str, Any] | None:
        tool = self._wire.get(name)
        return None if tool is None else tool.input_schema

    async def list_tools(self, ctx: Context, _params: t.PaginatedRequestParams | None) -> t.ListToolsResult:
        """tools/list."""
        listing = await self._calls.list_tools(self._ask(ctx))
        return t.ListToolsResult(
            tools=[
                self._wire[tool.name] if tool.permissions else schemas.describe_tool(tool) for tool in listing.tools
            ],
            ttl_ms=LIST_TTL_MS if listing.lasting else 0,
            cache_scope="private",
        )

    async def call_tool(
        self, ctx: Context, params: t.CallToolRequestParams
    ) -> t.CallToolResult | t.InputRequiredResult:
        """tools/call; before destruction a person is asked through the client, where it can ask one."""
        arguments = dict(params.arguments or {})
        if params.request_state is not None:
            outcome = _read_outcome(params.input_responses)
            if outcome is not Outcome.AGREED:
                return _refuse(build_unagreed(outcome, params.name, params.request_state))
            arguments["confirm"] = params.request_state
        envelope = await self._call(ctx, params.name, arguments)
        confirm = None if envelope.refusal is None else envelope.refusal.confirm
        if envelope.refusal is None or confirm is None or "confirm" in arguments or not _can_ask(ctx):
            return schemas.build_result(envelope)
        question = envelope.refusal.question or envelope.refusal.message
        if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return t.InputRequiredResult(input_requests={"confirm": _build_form(question)}, request_state=confirm)
        person = self._ask(ctx).presented
        if self._asking[person] >= QUESTIONS:
            return schemas.build_result(envelope)
        outcome = await self._ask_person(ctx, person, question)
        if outcome is not Outcome.AGREED:
            return _refuse(build_unagreed(outcome, params.name, confirm))
        return schemas.build_result(await self._call(ctx, params.name, arguments | {"confirm": confirm}))

    async def _call(self, ctx: Context, name: str, arguments: Mapping[str, Any]) -> Envelope:
        try:
            return await self._calls.call(self._ask(ctx), name, arguments)
        except UnknownTool:
            raise MCPError(code=t.INVALID_PARAMS, message=f"Unknown tool: {name[:64]}") from None

    async def list_prompts(self, _ctx: Context, _params: t.PaginatedRequestParams | None) -> t.ListPromptsResult:
        """prompts/list; the same for everyone."""
        prompts = [schemas.describe_prompt(each) for each in self._references.prompts.values()]
        return t.ListPromptsResult(prompts=prompts, ttl_ms=3_600_000, cache_scope="public")

    async def get_prompt(self, ctx: Context, params: t.GetPromptRequestParams) -> t.GetPromptResult:
        """prompts/get."""
        with _protocol_errors(params.name):
            text = await self._references.fill_prompt(self._ask(ctx), params.name, params.arguments or {})
        message = t.PromptMessage(role="user", content=t.TextContent(type="text", text=text))
        return t.GetPromptResult(messages=[message])

    async def list_resources(self, ctx: Context, _params: t.PaginatedRequestParams | None) -> t.ListResourcesResult:
        """resources/list."""
        listed = await self._references.list_resources(self._ask(ctx))
        return t.ListResourcesResult(
            resources=[schemas.describe_resource(each) for each in listed], ttl_ms=LIST_TTL_MS, cache_scope="private"
        )

    async def list_resource_templates(
        self, _ctx: Context, _params: t.PaginatedRequestParams | None
    ) -> t.ListResourceTemplatesResult:
        """resources/templates/list: there are none, which is an answer and not an unknown method."""
        return t.ListResourceTemplatesResult(resource_templates=[], ttl_ms=3_600_000, cache_scope="public")

    async def read_resource(self, ctx: Context, params: t.ReadResourceRequestParams) -> t.ReadResourceResult:
        """resources/read."""
        with _protocol_errors(str(params.uri)):
            resource, text = await self._references.read(self._ask(ctx), str(params.uri))
        content = t.TextResourceContents(uri=resource.uri, mime_type=resource.mime, text=text)
        return t.ReadResourceResult(contents=[content], ttl_ms=0, cache_scope="private")

    async def complete(self, ctx: Context, params: t.CompleteRequestParams) -> t.CompleteResult:
        """completion/complete, for the blanks of prompts."""
        if not isinstance(params.ref, t.PromptReference):
            return t.CompleteResult(completion=t.Completion(values=[]))
        values = await self._references.complete_argument(
            self._ask(ctx), params.ref.name, params.argument.name, params.argument.value
        )
        return t.CompleteResult(completion=t.Completion(values=list(values), total=len(values), has_more=False))

    async def _ask_person(self, ctx: Context, person: PresentedCredentials, question: str) -> Outcome:
        self._asking[person] += 1
        try:
            with anyio.move_on_after(PATIENCE_S):
                return _judge_answer(await ctx.session.elicit_form(question, CONSENT))
            return Outcome.UNANSWERED
        finally:
            self._asking[person] -= 1
            if not self._asking[person]:
                del self._asking[person]


@contextmanager
def _protocol_errors(name: str) -> Iterator[None]:
    """Where there is no result to put a refusal in, it travels as a JSON-RPC error with the same error object."""
    try:
        yield
    except Unknown:
        raise MCPError(code=t.INVALID_PARAMS, message=f"Unknown, or an argument is missing: {name[:64]}") from None
    except ToolError as refusal:
        said = refusal.error(new_id())
        raise MCPError(code=REFUSED, message=f"{refusal.message} {refusal.hint}", data=said) from None


def _build_form(question: str) -> t.ElicitRequest:
    return t.ElicitRequest(params=t.ElicitRequestFormParams(message=question, requested_schema=CONSENT))


def _read_outcome(said: Mapping[str, Any] | None) -> Outcome:
    answer = (said or {}).get("confirm")
    return _judge_answer(answer) if isinstance(answer, t.ElicitResult) else Outcome.DISMISSED


def _judge_answer(answer: t.ElicitResult) -> Outcome:
    if answer.action == "cancel":
        return Outcome.DISMISSED
    agreed = answer.action == "accept" and answer.content is not None and answer.content.get("agree") is True
    return Outcome.AGREED if agreed else Outcome.DECLINED


def _can_ask(ctx: Context) -> bool:
    """A modern client is asked in the answer; an older one over its stream, where it has one to reply on."""
    can = ctx.session.client_capabilities
    if can is None or can.elicitation is None:
        return False
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS or ctx.session.can_send_request


def _refuse(refusal: ToolError) -> t.CallToolResult:
    return schemas.build_result(build_failure(refusal, new_id()))


def build_progress(ctx: Context) -> Progress | None:
    """Where progress goes, if this request asked for it."""
    if not ctx.meta or "progress_token" not in ctx.meta:
        return None

    async def tell(done: float, total: float | None, message: str | None) -> None:
        await ctx.session.report_progress(done, total, message)

    return tell


def build_request(
    ctx: Context, presented: PresentedCredentials, transport: Transport, request_id: str | None = None
) -> CallRequest:
    """One message of the SDK as a request of ours."""
    return CallRequest(
        presented=presented,
        transport=transport,
        request_id=request_id or new_id(),
        carrier=read_trace_context(_read_header(ctx), ctx.meta or {}),
        progress=build_progress(ctx),
    )


def _read_header(ctx: Context) -> bytes | None:
    value = ctx.request.headers.get("traceparent") if ctx.request is not None else None
    return None if value is None else value.encode("latin-1")


def read_trace_context(header: bytes | None, meta: Mapping[str, Any]) -> dict[str, str]:
    """The client's W3C trace context, from `_meta` or else from the header."""
    said = meta.get("traceparent")
    if isinstance(said, str):
        return {"traceparent": said}
    return {} if header is None else {"traceparent": header.decode("latin-1")}
