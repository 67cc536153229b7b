"""The product with the suite's fixtures on its own transports, gate and dispatcher; and the product as it ships.

`python -m tests.conformance.profile {fixtures|shipped} PORT_FILE`. The suite cannot send headers, so an outermost
wrapper adds the two credentials where they are absent; everything behind it is the product's.
"""

import io
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import mcp.types as t
from mcp import MCPError
from mcp.server import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.subscriptions import ListenHandler
from starlette.types import ASGIApp, Receive, Scope, Send

from server.assembly import Deployment, deploy, load_files
from server.cli.local_stack import build_settings
from server.observability.audit import Stream
from server.protocol.handlers import Protocol
from server.sandbox.sandbox import Sandbox
from server.serving.catalogue import WHOLE
from server.serving.listener import bind, listen, read_port, wait_for_stop
from server.settings import load_settings
from server.transports.http import Health, HttpOptions, build_app, read_request
from tests.conformance import material
from tests.conformance.answers import ANSWERS, BUS
from tests.conformance.fixture import Answer, Context
from tests.conformance.rounds import ROUNDS

FIXTURES = {fixture.name: fixture for fixture in (*ANSWERS, *ROUNDS)}


class Profile(Protocol):
    """The product's handlers; fixtures are admitted by the same gate and listed behind the same tools."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(deployment.calls, deployment.references, read_request)
        self._gate = deployment.gate

    def server(self) -> Server[Any]:
        """The product's server, with the rest of the protocol that the suite wants to see."""
        server = super().server()
        others: tuple[tuple[str, type[Any], Any], ...] = (
            ("prompts/list", t.PaginatedRequestParams, material.list_prompts),
            ("prompts/get", t.GetPromptRequestParams, material.get_prompt),
            ("resources/list", t.PaginatedRequestParams, material.list_resources),
            ("resources/templates/list", t.PaginatedRequestParams, material.list_templates),
            ("resources/read", t.ReadResourceRequestParams, material.read_resource),
            ("resources/subscribe", t.SubscribeRequestParams, material.accept),
            ("resources/unsubscribe", t.UnsubscribeRequestParams, material.accept),
            ("completion/complete", t.CompleteRequestParams, material.complete),
            ("logging/setLevel", t.SetLevelRequestParams, material.accept),
            ("subscriptions/listen", t.SubscriptionsListenRequestParams, ListenHandler(BUS)),
        )
        for method, params, handler in others:
            server.add_request_handler(method, params, handler)
        server.middleware.append(RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience="nudj-mcp"))
        return server

    def _input_schema(self, name: str) -> Mapping[str, Any] | None:
        return FIXTURES[name].schema if name in FIXTURES else super()._input_schema(name)

    async def list_tools(self, ctx: Context, params: t.PaginatedRequestParams | None) -> t.ListToolsResult:
        """The product's tools, then the fixtures."""
        listed = await super().list_tools(ctx, params)
        return listed.model_copy(update={"tools": [*listed.tools, *(one.tool() for one in FIXTURES.values())]})

    async def call_tool(self, ctx: Context, params: t.CallToolRequestParams) -> Answer:
        """A fixture, for admitted callers only; any other name as the product has it."""
        if params.name not in FIXTURES:
            return await super().call_tool(ctx, params)
        if (refusal := await self._gate.refusal(read_request(ctx).presented)) is not None:
            raise MCPError(code=-31403, message=refusal.message)
        return await FIXTURES[params.name].run(ctx, params)


class Injecting:
    """Adds headers where a request has none of that name."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = {name.lower().encode(): value.encode() for name, value in headers.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            sent = {name for name, _ in scope["headers"]}
            added = [(name, value) for name, value in self._headers.items() if name not in sent]
            scope = {**scope, "headers": [*scope["headers"], *added]}
        await self._app(scope, receive, send)


async def main(kind: str, port_file: Path) -> None:
    """Serve until stopped; the port is written to the file once it answers."""
    async with AsyncExitStack() as stack:
        tenant, mcp = stack.enter_context(bind("127.0.0.1", 0)), stack.enter_context(bind("127.0.0.1", 0))
        sandbox = Sandbox(port=read_port(tenant))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = load_settings(build_settings(sandbox, folder), {})
        quiet = Stream(io.StringIO())
        await stack.enter_async_context(listen(sandbox.app, tenant))
        deployment = await stack.enter_async_context(deploy(settings, load_files(settings), WHOLE, quiet))
        health = Health(deployment.ready)
        if kind == "fixtures":
            whole = build_app(Profile(deployment).server(), deployment.gate.refusal, HttpOptions(), health)
        else:
            server = Protocol(deployment.calls, deployment.references, read_request).server()
            whole = build_app(server, deployment.gate.refusal, HttpOptions(), health, deployment.calls)
        acme = sandbox.organisations["acme"]
        headers = {"authorization": f"Bearer {sandbox.mint('acme', role='admin')}", "x-api-domain": acme.api_domain}
        await stack.enter_async_context(listen(Injecting(whole, headers), mcp))
        port_file.with_suffix(".new").write_text(str(read_port(mcp)))
        port_file.with_suffix(".new").replace(port_file)
        await wait_for_stop()


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], Path(sys.argv[2]))
