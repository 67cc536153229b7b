"""MCP over standard input and output: one client, whose credentials are the process's own, judged on every call."""

from typing import Any

from mcp.server import NotificationOptions, Server
from mcp.server.stdio import stdio_server


async def serve(server: Server[Any]) -> None:
    """Speak until the client closes standard input."""
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options(NotificationOptions()))
