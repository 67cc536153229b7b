"""`nudj-mcp serve`: the hosted server; with --sandbox also an embedded tenant to try it against."""

import argparse
import logging
import sys
from importlib import import_module
from pathlib import Path

import anyio

from server import logs
from server.audit import Stream
from server.commands import flags
from server.commands.whole import LOOP, WHOLE
from server.deployment import deployed, parts
from server.running import bound, over_http, until_stopped

_log = logging.getLogger(__name__)


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = subparsers.add_parser("serve", help="serve /mcp and /sse for many organisations")
    parser.add_argument("--sandbox", action="store_true", help="bring an embedded tenant with two organisations")
    parser.add_argument("--tokens", type=Path, help="with --sandbox: write URLs and tokens to this file (mode 0600)")
    flags.add(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until stopped.

    Raises:
        SettingsError, OSError: before a port is open.
    """
    serve = import_module("server.commands.trial").serve if arguments.sandbox else _serve
    code: int = anyio.run(serve, arguments, backend_options=LOOP)
    return code


async def _serve(arguments: argparse.Namespace) -> int:
    settings = flags.settings(arguments)
    read = parts(settings)
    logs.level(settings.log_level)
    with bound(settings) as ports:
        async with (
            deployed(settings, read, WHOLE, Stream(sys.stdout)) as deployment,
            over_http(deployment, ports) as health,
        ):
            _log.info("serving on port %d", ports.number)
            await until_stopped(health, settings)
    return 0
