"""`nudj-mcp tools` and `nudj-mcp call NAME '{...}'`: the catalogue and one tool, over the way a client goes."""

import argparse
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio

from server.cli.connection_flags import add_connection_flags, find_server
from server.cli.tables import render, render_table, show
from server.clients.faults import ConfigError
from server.clients.keychain import KeychainError
from server.doctor.connection import open_client
from server.doctor.failures import translate_failures
from server.doctor.mcp_client import McpClient, ProtocolError, greet
from server.doctor.results import EXIT, Broken
from server.settings import read_environment

REFUSED = 1
_EPILOG = "exit codes: 0 done; 1 the tool refused; 2 the command line cannot be used; 10-17 the server was not reached"

Work = Callable[[McpClient, argparse.Namespace], Awaitable[int]]


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the two commands on the command line."""
    tools = subparsers.add_parser("tools", help="list what the token may use, or describe one tool", epilog=_EPILOG)
    tools.add_argument("name", nargs="?", help="a tool to describe")
    tools.set_defaults(run=lambda arguments: _run(arguments, _list_tools))
    call = subparsers.add_parser("call", help="call one tool", epilog=_EPILOG)
    call.add_argument("name", help="a tool that `nudj-mcp tools` lists")
    call.add_argument("arguments", nargs="?", default="{}", help="its arguments, a JSON object; - reads standard input")
    call.set_defaults(run=lambda arguments: _run(arguments, _call))
    for parser in (tools, call):
        parser.add_argument("--json", action="store_true", help="print the answer as JSON")
        add_connection_flags(parser)


def _run(arguments: argparse.Namespace, work: Work) -> int:
    try:
        setup = find_server(arguments, read_environment())
        wish = _read_arguments(arguments)
    except (ConfigError, KeychainError) as error:
        print(f"nudj-mcp: {error}", file=sys.stderr)
        return 2

    async def speak() -> int:
        with translate_failures():
            async with open_client(setup, arguments.trust) as client:
                await greet(client)
                return await work(client, argparse.Namespace(**{**vars(arguments), "arguments": wish}))

    try:
        return anyio.run(speak)
    except Broken as broken:
        print(f"nudj-mcp: {broken.said} {broken.fix}", file=sys.stderr)
        return EXIT[broken.kind]


def _read_arguments(arguments: argparse.Namespace) -> dict[str, Any]:
    text = getattr(arguments, "arguments", "{}")
    text = sys.stdin.read() if text == "-" else text
    try:
        wish = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"The arguments are not JSON ({error}).", "Write an object, like '{\"limit\": 5}'.") from None
    if not isinstance(wish, dict):
        raise ConfigError("The arguments are not a JSON object.", "Write one, like '{\"limit\": 5}'.")
    return wish


async def _list_tools(client: McpClient, arguments: argparse.Namespace) -> int:
    tools: list[Mapping[str, Any]] = list((await client.ask("tools/list", {})).get("tools", []))
    if arguments.name is not None:
        tools = [tool for tool in tools if tool.get("name") == arguments.name]
        if not tools:
            print(f"nudj-mcp: no tool {arguments.name} is listed; see `nudj-mcp tools`.", file=sys.stderr)
            return REFUSED
    if arguments.json:
        print(json.dumps(tools[0] if arguments.name else tools, ensure_ascii=False, indent=2))
    elif arguments.name:
        _describe(tools[0])
    else:
        print("\n".join(render_table([_summarise(tool) for tool in tools])))
    return 0


def _summarise(tool: Mapping[str, Any]) -> dict[str, Any]:
    hints = tool.get("annotations", {})
    effect = "reads" if hints.get("readOnlyHint") else "destroys" if hints.get("destructiveHint") else "writes"
    return {"tool": tool.get("name"), "effect": effect, "what": str(tool.get("description", "")).partition(". ")[0]}


def _describe(tool: Mapping[str, Any]) -> None:
    schema = tool.get("inputSchema", {})
    required = schema.get("required", [])
    print(f"{tool.get('name')}: {show(tool.get('description', ''))}\n")
    rows = [
        {
            "argument": name,
            "needed": "yes" if name in required else "",
            "type": str(each.get("type") or "/".join(str(one.get("type")) for one in each.get("anyOf", []))),
            "what": each.get("description", ""),
        }
        for name, each in schema.get("properties", {}).items()
    ]
    print("\n".join(render_table(rows)) if rows else "It takes no arguments.")


async def _call(client: McpClient, arguments: argparse.Namespace) -> int:
    try:
        result = await client.ask("tools/call", {"name": arguments.name, "arguments": arguments.arguments})
    except ProtocolError as fault:
        print(f"nudj-mcp: {show(str(fault))}; `nudj-mcp tools` lists what there is.", file=sys.stderr)
        return REFUSED
    envelope: Mapping[str, Any] = result.get("structuredContent", {})
    if arguments.json:
        print(json.dumps(envelope, ensure_ascii=False, indent=2))
    elif envelope.get("ok"):
        print(render(envelope.get("data")))
    else:
        error = envelope.get("error", {})
        print(f"{error.get('code')} ({error.get('status')}): {show(error.get('message', ''))}", file=sys.stderr)
        print(show(error.get("hint", "")), file=sys.stderr)
        for field in error.get("fields", []):
            print(f"  {show(field)}", file=sys.stderr)
    return 0 if envelope.get("ok") else REFUSED
