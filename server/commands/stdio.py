"""`nudj-mcp stdio`: the server as a child of one client, speaking over standard input and output."""

import argparse
import sys

import anyio

from server import logs
from server.audit import Stream
from server.case import Asked
from server.commands import flags
from server.commands.serve import LOOP, WHOLE
from server.credentials import Presented
from server.deployment import deployed, process_presented
from server.protocol import Ask, Context, Protocol, asked
from server.settings import Settings, SettingsError
from server.transports import stdio


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = subparsers.add_parser("stdio", help="serve one client over standard input and output")
    parser.add_argument("--profile", help="take token and domain from this keychain profile (see nudj-mcp login)")
    flags.add(parser, without=frozenset({"host", "port"}))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Speak until the client closes standard input. 2 for a configuration that cannot be used."""
    settings = flags.settings(arguments, defaults={"auth_verify": "upstream"})
    if settings is None:
        return flags.MISCONFIGURED
    try:
        return anyio.run(_serve, settings, backend_options=LOOP)
    except SettingsError as wrong:
        flags.complain(wrong)
        return flags.MISCONFIGURED


async def _serve(settings: Settings) -> int:
    logs.configure(settings.log_level.upper())
    presented = process_presented(settings)
    async with deployed(settings, WHOLE, Stream(sys.stderr)) as deployment:
        await stdio.serve(Protocol(deployment.calls, _asking(presented)).server())
    return 0


def _asking(presented: Presented) -> Ask:
    def ask(ctx: Context) -> Asked:
        return asked(ctx, presented, "stdio")

    return ask
