"""`nudj-mcp stdio`: the server as a child of one client, speaking over standard input and output."""

import argparse
import sys
from pathlib import Path

import anyio

from server import keychain, logs
from server.audit import Stream
from server.case import Asked
from server.commands import flags
from server.commands.whole import LOOP, WHOLE
from server.credentials import Presented
from server.deployment import deployed, parts, process_presented
from server.protocol import Ask, Context, Protocol, asked
from server.settings import SettingsError
from server.transports import stdio


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = subparsers.add_parser("stdio", help="serve one client over standard input and output")
    parser.add_argument("--profile", help="take token and domain from this keychain profile (see nudj-mcp login)")
    parser.add_argument("--profile-file", type=Path, help="take them from this file of nudj-mcp login --profile-file")
    flags.add(parser, without=frozenset({"host", "port"}))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Speak until the client closes standard input.

    Raises:
        SettingsError: the configuration cannot be used.
    """
    return anyio.run(_serve, arguments, backend_options=LOOP)


async def _serve(arguments: argparse.Namespace) -> int:
    settings = flags.settings(arguments, _kept(arguments), {"auth_verify": "upstream"})
    read = parts(settings)
    logs.level(settings.log_level)
    async with deployed(settings, read, WHOLE, Stream(sys.stderr)) as deployment:
        protocol = Protocol(deployment.calls, deployment.references, _asking(process_presented(settings)))
        await stdio.serve(protocol.server())
    return 0


def _kept(arguments: argparse.Namespace) -> dict[str, str]:
    if arguments.profile is None and arguments.profile_file is None:
        return {}
    try:
        kept = keychain.read(arguments.profile or keychain.DEFAULT, file=arguments.profile_file)
    except keychain.KeychainError as error:
        raise SettingsError((str(error),)) from None
    return {"token": kept.token.reveal(), "api_domain": kept.domain}


def _asking(presented: Presented) -> Ask:
    def ask(ctx: Context) -> Asked:
        return asked(ctx, presented, "stdio")

    return ask
