"""A whole world on this machine: the embedded tenant and a server that trusts it, in one process."""

import argparse
import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.assembly import deploy, load_files
from server.cli import settings_flags
from server.cli.demo_state import DemoState
from server.http.client import OutboundClient
from server.observability import logs
from server.observability.audit import Sink
from server.sandbox.sandbox import Sandbox
from server.serving.catalogue import WHOLE
from server.serving.lifecycle import bind_ports, serve_http
from server.serving.listener import bind, listen, read_port
from server.settings import Settings, name_variable
from server.transports.http import Health

_ROOMY = {
    **dict.fromkeys(("tenant_rate", "caller_rate"), 10_000),
    **dict.fromkeys(("tenant_burst", "caller_burst"), 20_000),
    **dict.fromkeys(("tenant_calls", "caller_calls"), 1_000),
}
"""Budgets that do not get in the way of somebody who tries things out: the tenant to be spared is our own."""


@dataclass(frozen=True, slots=True)
class LocalStack:
    """The two servers, running.

    `environment` makes another process trust the same tenant, for a stdio server started as a child.
    """

    sandbox: Sandbox
    settings: Settings
    health: Health
    mcp_url: str
    sse_url: str
    environment: Mapping[str, str]

    def describe(self) -> str:
        """Where everything is, and who may sign in."""
        panel = self.sandbox.issuer.replace("127.0.0.1", "acme.localhost")
        lines = [f"MCP: {self.mcp_url}", f"Admin panel: {panel}/admin", *describe_accounts(self.sandbox)]
        return "\n".join(lines)

    def tokens(self) -> dict[str, Any]:
        """The content of a tokens file."""
        door = {"resource": f"{self.settings.public_url}/o/mcp", "issuer": self.settings.oauth_issuer}
        accounts = [
            {"email": each.email, "password": each.password, "role": each.role, "organisations": each.organisations}
            for each in self.sandbox.accounts
        ]
        own = {"mcp_url": self.mcp_url, "sse_url": self.sse_url, "oauth": door, "accounts": accounts}
        return own | list_tokens(self.sandbox)


def describe_accounts(sandbox: Sandbox) -> list[str]:
    """A line for each person who may sign in to the panel."""
    return [
        f"  {each.email}  {each.password}  ({each.role} of {', '.join(each.organisations)})"
        for each in sandbox.accounts
    ]


@asynccontextmanager
async def run_local_stack(
    arguments: argparse.Namespace, audit: Sink, state: DemoState | None = None
) -> AsyncIterator[LocalStack]:
    """Both servers, alive while the block runs.

    Parameters:
        arguments: the command line, with the settings' flags.
        audit: where audit lines go when no audit_file is set.
        state: the world to go on with; None makes one that is thrown away.

    Raises:
        SettingsError: the rest of the configuration cannot be used.
        OSError: a port cannot be bound.
    """
    async with AsyncExitStack() as stack:
        tenant = stack.enter_context(bind("127.0.0.1", 0 if state is None else state.read("tenant_port") or 0))
        if state is None:
            sandbox = Sandbox(port=read_port(tenant))
        else:
            state.keep("tenant_port", read_port(tenant))
            sandbox = Sandbox(port=read_port(tenant), database=state.database, passwords=state.seed)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        trust = build_settings(sandbox, folder)
        settings = settings_flags.read_settings(arguments, trust, _ROOMY)
        read = load_files(settings)
        logs.set_level(settings.log_level)
        ports = stack.enter_context(bind_ports(settings))
        await stack.enter_async_context(listen(sandbox.app, tenant))
        here = f"http://127.0.0.1:{ports.number}"
        settings = open_oauth_door(settings, sandbox, here, folder)
        deployment = await stack.enter_async_context(deploy(settings, read, WHOLE, audit))
        deployment.audit.watch(sandbox.observe)
        sandbox.mcp_url = f"{here}/mcp"
        sandbox.send = (await stack.enter_async_context(OutboundClient())).send
        health = await stack.enter_async_context(serve_http(deployment, ports))
        environment = {name_variable(name): value for name, value in trust.items()}
        yield LocalStack(sandbox, settings, health, f"{here}/mcp", f"{here}/sse", environment)


def build_settings(sandbox: Sandbox, folder: Path) -> dict[str, str]:
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


def open_oauth_door(settings: Settings, sandbox: Sandbox, here: str, folder: Path) -> Settings:
    """The same settings with the OAuth door, for which the embedded tenant is the authorization server.

    Parameters:
        here: origin of the MCP side, which clients use unless the settings name another.
        folder: where this server's own secret is written, readable by its owner alone.
    """
    if settings.oauth_issuer is not None:
        return settings
    base = settings.public_url or here
    sandbox.oauth.resources.base = base
    secret = folder / "oauth-client-secret"
    secret.touch(mode=0o600)
    secret.write_text(sandbox.oauth.client_secret, "utf-8")
    given = {
        "public_url": base,
        "oauth_issuer": sandbox.issuer,
        "oauth_jwks_url": sandbox.jwks_url,
        "oauth_client_id": sandbox.oauth.client_id,
        "oauth_client_secret_file": secret,
        "oauth_exchange_url": f"{sandbox.issuer}/oauth/token",
        "oauth_exchange_audience": sandbox.audience,
    }
    return Settings.model_validate(settings.model_dump() | given)


def list_tokens(sandbox: Sandbox) -> dict[str, Any]:
    """What a tokens file says of the embedded tenant."""
    return {"jwks_url": sandbox.jwks_url, "organisations": sandbox.organisations_file()}


def write_tokens(path: Path, said: Mapping[str, Any]) -> None:
    """Write the file whole, readable by its owner alone."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(said, indent=2), "utf-8")
    fresh.replace(path)
