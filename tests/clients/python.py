"""The Python SDK's client, driven like the others: the set-up on the first line, then one request per line."""

import json
import sys
from typing import Any

import anyio
import httpx2
from mcp import Client, MCPError
from mcp.client.sse import sse_client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


async def _serve(client: Client) -> None:
    _say({"version": client.protocol_version})
    async for line in anyio.wrap_file(sys.stdin):
        asked = json.loads(line)
        try:
            if asked["op"] == "list":
                listed = await client.list_tools(cache_mode="refresh")
                _say({"tools": [tool.model_dump(by_alias=True) for tool in listed.tools]})
            else:
                result = await client.call_tool(asked["name"], asked["args"])
                _say(result.model_dump(by_alias=True))
        except (MCPError, httpx2.HTTPError) as error:
            _say({"thrown": {"name": type(error).__name__, "message": str(error)}})


async def main() -> None:
    """Connect as told and answer until standard input closes."""
    setup = json.loads(await anyio.to_thread.run_sync(sys.stdin.readline))
    mode = setup.get("era", "auto")
    if "command" in setup:
        child = StdioServerParameters(command=setup["command"], args=setup["args"], env=setup["env"])
        async with Client(child, mode=mode) as client:
            await _serve(client)
    elif setup["url"].endswith("/sse"):
        async with Client(sse_client(setup["url"], headers=setup["headers"]), mode=mode) as client:
            await _serve(client)
    else:
        async with (
            httpx2.AsyncClient(headers=setup["headers"], timeout=20) as http,
            Client(streamable_http_client(setup["url"], http_client=http), mode=mode) as client,
        ):
            await _serve(client)


if __name__ == "__main__":
    anyio.run(main)
