"""`nudj-mcp sandbox`: the embedded tenant alone, to point another server or a script at."""

import argparse
from pathlib import Path

import anyio

from server.commands.local import tokens, write_tokens
from server.commands.whole import LOOP
from server.sandbox.sandbox import Sandbox
from server.serving import bind, listening, port_of, told_to_stop


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = subparsers.add_parser("sandbox", help="serve the embedded tenant API and its admin panel alone")
    parser.add_argument("--port", type=int, default=4011, help="port to listen on (default 4011; 0 takes a free one)")
    parser.add_argument("--tokens", type=Path, help="write URLs and tokens to this file (mode 0600)")
    parser.add_argument("--database", type=Path, help="keep the data in this SQLite file (default: in memory)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until stopped.

    Raises:
        OSError: the port cannot be bound.
    """
    return anyio.run(_serve, arguments, backend_options=LOOP)


async def _serve(arguments: argparse.Namespace) -> int:
    with bind("127.0.0.1", arguments.port) as bound:
        sandbox = Sandbox(port=port_of(bound), database=arguments.database)
        async with listening(sandbox.app, bound):
            if arguments.tokens is not None:
                write_tokens(arguments.tokens, {"mcp_url": None, "sse_url": None} | tokens(sandbox))
            for account in sandbox.accounts:
                print(f"{account.email}  {account.password}  {account.role}  {', '.join(account.organisations)}")
            await told_to_stop()
    return 0
