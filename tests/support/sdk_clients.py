"""The SDK's own client, configured as a person would configure it, over each of the ways in."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

import httpx2
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.support.shared_stack import ROOT, World

Over = Literal["/mcp 2026-07-28", "/mcp 2025-11-25", "/sse", "stdio"]
OVER: tuple[Over, ...] = ("/mcp 2026-07-28", "/mcp 2025-11-25", "/sse", "stdio")


@asynccontextmanager
async def connected(world: World, headers: Mapping[str, str], over: Over, **client: Any) -> AsyncIterator[Client]:
    """A connected client.

    Parameters:
        headers: what the config says; over stdio the same, as environment variables.
        client: more of what `mcp.Client` takes.
    """
    if over == "stdio":
        child = StdioServerParameters(
            command=sys.executable,
            args=["-m", "server", "stdio"],
            env=world.child_environment(headers),
            cwd=ROOT,
        )
        async with Client(child, **client) as here:
            yield here
    elif over == "/sse":
        async with Client(sse_client(f"{world.origin}/sse", headers=dict(headers)), mode="legacy", **client) as here:
            yield here
    else:
        mode = "legacy" if over == "/mcp 2025-11-25" else "2026-07-28"
        async with (
            httpx2.AsyncClient(headers=dict(headers), timeout=20) as http,
            Client(streamable_http_client(f"{world.origin}/mcp", http_client=http), mode=mode, **client) as here,
        ):
            yield here
