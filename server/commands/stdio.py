"""`nudj-mcp stdio`: the server as a child of one client, speaking over standard input and output."""

import argparse
import sys

import anyio

from server import keychain, logs
from server.audit import Stream
from server.case import Asked
from server.commands import flags
from server.commands.local import LOOP, WHOLE
from server.credentials import Presented
from server.deployment import deployed, parts, process_presented
from server.protocol import Ask, Context, Protocol, asked
from server.transports import stdio


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = subparsers.add_parser("stdio", help="serve one client over standard input and output")
    parser.add_argument("--profile", help="take token and domain from this keychain profile (see nudj-mcp login)")
    flags.add(parser, without=frozenset({"host", "port"}))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Speak until the client closes standard input.

    Raises:
        SettingsError: the configuration cannot be used.
    """
    return anyio.run(_serve, arguments, backend_options=LOOP)


async def _serve(arguments: argparse.Namespace) -> int:
    fixed = {}
    if arguments.profile is not None:
        kept = keychain.read(arguments.profile)
        fixed = {"token": kept.token.reveal(), "api_domain": kept.domain}
    settings = flags.settings(arguments, fixed, {"auth_verify": "upstream"})
    read = parts(settings)
    logs.level(settings.log_level)
    async with deployed(settings, read, WHOLE, Stream(sys.stderr)) as deployment:
        protocol = Protocol(deployment.calls, deployment.references, _asking(process_presented(settings)))
        await stdio.serve(protocol.server())
    return 0


def _asking(presented: Presented) -> Ask:
    def ask(ctx: Context) -> Asked:
        return asked(ctx, presented, "stdio")

    return ask
