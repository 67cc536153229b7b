"""One agent framework's own MCP client, run in an environment that has it: connects, lists, makes the calls.

Arguments: the framework, the URL, the headers and the calls as JSON.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

Calls = list[tuple[str, dict[str, Any]]]


async def fastmcp(url: str, headers: Mapping[str, str], calls: Calls) -> None:
    """The client of FastMCP."""
    from fastmcp import Client  # noqa: PLC0415 - each environment has one of these
    from fastmcp.client.transports import StreamableHttpTransport  # noqa: PLC0415 - as above

    async with Client(StreamableHttpTransport(url, headers=dict(headers))) as client:
        await client.list_tools()
        for name, arguments in calls:
            await client.call_tool(name, arguments)


async def pydantic_ai(url: str, headers: Mapping[str, str], calls: Calls) -> None:
    """An agent of pydantic-ai, whose model is a script."""
    from pydantic_ai import Agent  # noqa: PLC0415 - as above
    from pydantic_ai.mcp import MCPToolset  # noqa: PLC0415 - as above
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart  # noqa: PLC0415 - as above
    from pydantic_ai.models.function import FunctionModel  # noqa: PLC0415 - as above

    left = iter(calls)

    def answer(_messages: Any, _info: Any) -> ModelResponse:
        call = next(left, None)
        return ModelResponse([TextPart("done") if call is None else ToolCallPart(*call)])

    agent: Any = Agent(FunctionModel(answer), toolsets=[MCPToolset(url, headers=dict(headers))])
    async with agent:
        await agent.run("go")


async def langchain(url: str, headers: Mapping[str, str], calls: Calls) -> None:
    """The adapters of LangChain: a session for each call."""
    from langchain_mcp_adapters.client import MultiServerMCPClient  # noqa: PLC0415 - as above

    where: Any = {"nudj": {"transport": "streamable_http", "url": url, "headers": dict(headers)}}
    tools = {tool.name: tool for tool in await MultiServerMCPClient(where).get_tools()}
    for name, arguments in calls:
        await tools[name].ainvoke(arguments)


async def openai_agents(url: str, headers: Mapping[str, str], calls: Calls) -> None:
    """The MCP server object of the OpenAI Agents SDK."""
    from agents.mcp import MCPServerStreamableHttp  # noqa: PLC0415 - as above

    async with MCPServerStreamableHttp({"url": url, "headers": dict(headers)}) as server:
        await server.list_tools()
        for name, arguments in calls:
            await server.call_tool(name, arguments)


if __name__ == "__main__":
    CLIENTS = {each.__name__: each for each in (fastmcp, pydantic_ai, langchain, openai_agents)}
    asyncio.run(CLIENTS[sys.argv[1]](sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])))
