"""`nudj-mcp stdio`: the server as a child of one client, speaking over standard input and output."""

import argparse
import sys
from pathlib import Path

import anyio

from server.assembly import deploy, load_files, read_process_credentials
from server.cli import settings_flags
from server.clients import keychain
from server.credentials.parsing import PresentedCredentials
from server.observability import logs
from server.observability.audit import Stream
from server.pipeline.context import CallRequest
from server.protocol.handlers import Ask, Context, Protocol, build_request
from server.serving.catalogue import LOOP, WHOLE
from server.settings import SettingsError
from server.transports import stdio

_DEFAULTS = {"auth_verify": "upstream", "upstream_proxy": "environment"}
"""On a person's own machine: no key set to verify with, and perhaps a company's proxy on the way out."""


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = subparsers.add_parser("stdio", help="serve one client over standard input and output")
    parser.add_argument("--profile", help="take token and domain from this keychain profile (see nudj-mcp login)")
    parser.add_argument("--profile-file", type=Path, help="take them from this file of nudj-mcp login --profile-file")
    settings_flags.add_flags(parser, without=frozenset({"host", "port"}))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Speak until the client closes standard input.

    Raises:
        SettingsError: the configuration cannot be used.
    """
    return anyio.run(_serve, arguments, backend_options=LOOP)


async def _serve(arguments: argparse.Namespace) -> int:
    settings = settings_flags.read_settings(arguments, _read_profile(arguments), _DEFAULTS)
    read = load_files(settings)
    logs.set_level(settings.log_level)
    async with deploy(settings, read, WHOLE, Stream(sys.stderr)) as deployment:
        protocol = Protocol(deployment.calls, deployment.references, _build_ask(read_process_credentials(settings)))
        await stdio.serve(protocol.server())
    return 0


def _read_profile(arguments: argparse.Namespace) -> dict[str, str]:
    if arguments.profile is None and arguments.profile_file is None:
        return {}
    try:
        kept = keychain.read(arguments.profile or keychain.DEFAULT, file=arguments.profile_file)
    except keychain.KeychainError as error:
        raise SettingsError((str(error),)) from None
    return {"token": kept.token.reveal(), "api_domain": kept.domain}


def _build_ask(presented: PresentedCredentials) -> Ask:
    def ask(ctx: Context) -> CallRequest:
        return build_request(ctx, presented, "stdio")

    return ask
