"""`nudj-mcp serve`: the hosted server; with --sandbox also an embedded tenant to try it against."""

import argparse
import json
import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio

from server import logs
from server.audit import Stream
from server.commands import flags
from server.deployment import Catalogue, Deployment, deployed
from server.running import over_http, until_stopped
from server.sandbox.sandbox import Sandbox
from server.serving import bind, listening, port_of
from server.settings import Settings, SettingsError
from tools import CATALOGUE
from tools.toolsets import DEFAULT, TOOLSETS

WHOLE = Catalogue(CATALOGUE, TOOLSETS, DEFAULT)
LOOP = {"use_uvloop": sys.platform != "win32"}

_log = logging.getLogger(__name__)


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = subparsers.add_parser("serve", help="serve /mcp and /sse for many organisations")
    parser.add_argument("--sandbox", action="store_true", help="bring an embedded tenant with two organisations")
    parser.add_argument("--tokens", type=Path, help="with --sandbox: write URLs and tokens to this file (mode 0600)")
    flags.add(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until stopped. 0 after a clean stop, 2 for a configuration that cannot be used."""
    try:
        if arguments.sandbox:
            return anyio.run(_with_sandbox, arguments, backend_options=LOOP)
        settings = flags.settings(arguments)
        return flags.MISCONFIGURED if settings is None else anyio.run(_serve, settings, backend_options=LOOP)
    except SettingsError as wrong:
        flags.complain(wrong)
    except OSError as fault:
        flags.complain(SettingsError((f"the port cannot be opened: {fault.strerror or fault}",)))
    return flags.MISCONFIGURED


async def _serve(settings: Settings) -> int:
    logs.configure(settings.log_level.upper())
    async with deployed(settings, WHOLE, Stream(sys.stdout)) as deployment:
        bound = bind(settings.host, settings.port)
        async with over_http(deployment, bound) as health:
            _log.info("serving on port %d", port_of(bound))
            await until_stopped(health, settings)
    return 0


async def _with_sandbox(arguments: argparse.Namespace) -> int:
    async with AsyncExitStack() as stack:
        tenant = bind("127.0.0.1", 0)
        sandbox = Sandbox(port=port_of(tenant))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = flags.settings(arguments, trusting(sandbox, folder))
        if settings is None:
            return flags.MISCONFIGURED
        logs.configure(settings.log_level.upper())
        bound = bind(settings.host, settings.port)
        await stack.enter_async_context(listening(sandbox.app, tenant))
        deployment = await stack.enter_async_context(deployed(settings, WHOLE, Stream(sys.stdout)))
        watch(sandbox, deployment, port_of(bound))
        health = await stack.enter_async_context(over_http(deployment, bound))
        if arguments.tokens is not None:
            write_tokens(arguments.tokens, urls(port_of(bound)) | tokens(sandbox))
        _log.info("serving on port %d, the embedded tenant on port %d", port_of(bound), port_of(tenant))
        await until_stopped(health, settings)
    return 0


def trusting(sandbox: Sandbox, folder: Path) -> dict[str, Any]:
    """Settings by which a server treats the embedded tenant as it treats any other.

    Parameters:
        folder: where the tenant directory is written.
    """
    directory = folder / "tenants.toml"
    directory.write_text(sandbox.directory_toml(), "utf-8")
    return {
        "auth_verify": "jwks",
        "auth_jwks_url": sandbox.jwks_url,
        "auth_issuer": sandbox.issuer,
        "auth_audience": sandbox.audience,
        "revocations_url": sandbox.revocations_url,
        "tenants_file": str(directory),
    }


def watch(sandbox: Sandbox, deployment: Deployment, port: int) -> None:
    """Let the tenant's admin panel show the calls of its organisations and try one."""
    sandbox.mcp_url = urls(port)["mcp_url"]
    deployment.audit.watch(sandbox.observe)


def urls(port: int) -> dict[str, str]:
    """Where clients find a server on this machine."""
    return {"mcp_url": f"http://127.0.0.1:{port}/mcp", "sse_url": f"http://127.0.0.1:{port}/sse"}


def tokens(sandbox: Sandbox) -> dict[str, Any]:
    """What the tokens file says of the embedded tenant."""
    return {"jwks_url": sandbox.jwks_url, "organisations": sandbox.organisations_file()}


def write_tokens(path: Path, said: Mapping[str, Any]) -> None:
    """Write the file whole, readable by its owner alone."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(said, indent=2), "utf-8")
    fresh.replace(path)
