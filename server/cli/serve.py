"""`nudj-mcp serve`: the hosted server; with --sandbox also an embedded tenant to try it against."""

import argparse
import logging
import sys
from importlib import import_module
from pathlib import Path

import anyio

from server.assembly import deploy, load_files
from server.cli import settings_flags
from server.observability import logs
from server.observability.audit import Stream
from server.serving.catalogue import LOOP, WHOLE
from server.serving.lifecycle import bind_ports, serve_http, wait_until_stopped

_log = logging.getLogger(__name__)


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = subparsers.add_parser("serve", help="serve /mcp and /sse for many organisations")
    parser.add_argument("--sandbox", action="store_true", help="bring an embedded tenant with two organisations")
    parser.add_argument("--tokens", type=Path, help="with --sandbox: write URLs and tokens to this file (mode 0600)")
    settings_flags.add_flags(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until stopped.

    Raises:
        SettingsError, OSError: before a port is open.
    """
    serve = import_module("server.cli.serve_sandbox").serve if arguments.sandbox else _serve
    code: int = anyio.run(serve, arguments, backend_options=LOOP)
    return code


async def _serve(arguments: argparse.Namespace) -> int:
    settings = settings_flags.read_settings(arguments)
    read = load_files(settings)
    logs.set_level(settings.log_level)
    with bind_ports(settings) as ports:
        async with (
            deploy(settings, read, WHOLE, Stream(sys.stdout)) as deployment,
            serve_http(deployment, ports) as health,
        ):
            _log.info("serving on port %d", ports.number)
            await wait_until_stopped(health, settings)
    return 0
