"""A client as a person would configure it: headers over HTTP and SSE, environment over stdio."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx2
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from server.cli.local_stack import LocalStack
from server.clients.own_process import isolate_ourselves

Over = Literal["/mcp", "/sse", "stdio"]


@dataclass(frozen=True, slots=True)
class DemoConfig:
    """What stands in a client's config file.

    Parameters:
        path: the organisation's word for `/t/{subdomain}/mcp`; None for the plain path.
    """

    token: str | None = field(repr=False)
    domain: str | None
    path: str | None = None
    mode: str | None = None

    def headers(self) -> dict[str, str]:
        """As headers."""
        said = {
            "authorization": f"Bearer {self.token}" if self.token else None,
            "x-api-domain": self.domain,
            "x-agent-mode": self.mode,
        }
        return {name: value for name, value in said.items() if value is not None}

    def environment(self) -> dict[str, str]:
        """As environment variables."""
        said = {"NUDJ_MCP_TOKEN": self.token, "NUDJ_API_DOMAIN": self.domain, "NUDJ_AGENT_MODE": self.mode}
        return {name: value for name, value in said.items() if value is not None}


@asynccontextmanager
async def connect(world: LocalStack, config: DemoConfig, over: Over) -> AsyncIterator[Client]:
    """A client connected to the server over one transport."""
    match over:
        case "stdio":
            quiet = {"NUDJ_MCP_LOG_LEVEL": "error", "NUDJ_MCP_AUDIT_FILE": os.devnull}
            own = isolate_ourselves({**world.environment, **config.environment(), **quiet}, "stdio")
            command, *words = own.command
            child = StdioServerParameters(command=command, args=words, env=dict(own.environment))
            async with Client(child) as client:
                yield client
        case "/sse":
            async with Client(sse_client(world.sse_url, headers=config.headers()), mode="legacy") as client:
                yield client
        case "/mcp":
            url = world.mcp_url if config.path is None else world.mcp_url.replace("/mcp", f"/t/{config.path}/mcp")
            async with (
                httpx2.AsyncClient(headers=config.headers(), timeout=20) as http,
                Client(streamable_http_client(url, http_client=http)) as client,
            ):
                yield client


async def call_tool(client: Client, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The envelope of one call."""
    result = await client.call_tool(tool, dict(arguments))
    envelope: dict[str, Any] = result.structured_content or {}
    return envelope
