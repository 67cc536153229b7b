"""`nudj-mcp sandbox`: the embedded tenant alone, to point another server or a script at."""

import argparse
from pathlib import Path

import anyio

from server.cli.local_stack import describe_accounts, list_tokens, write_tokens
from server.sandbox.sandbox import Sandbox
from server.serving.catalogue import LOOP
from server.serving.listener import bind, listen, read_port, wait_for_stop


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
        sandbox = Sandbox(port=read_port(bound), database=arguments.database)
        async with listen(sandbox.app, bound):
            if arguments.tokens is not None:
                write_tokens(arguments.tokens, {"mcp_url": None, "sse_url": None} | list_tokens(sandbox))
            print("\n".join((*_describe_places(sandbox), *describe_accounts(sandbox))), flush=True)
            await wait_for_stop()
    return 0


def _describe_places(sandbox: Sandbox) -> list[str]:
    apis = [f"{each.name}: {each.api_domain}" for each in sandbox.organisations.values()]
    sites = [sandbox.issuer.replace("127.0.0.1", f"{name}.localhost") for name in sandbox.organisations]
    return [*apis, *(f"Admin panel: {site}/admin" for site in sites), f"Keys: {sandbox.jwks_url}"]
