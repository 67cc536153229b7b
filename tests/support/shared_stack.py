"""The world most tests live in: the embedded tenant and a server that trusts it, on real sockets, for the whole run."""

import argparse
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from server.assembly import deploy, load_files
from server.cli.local_stack import LocalStack, run_local_stack
from server.observability.audit import Sink
from server.observability.logs import JsonLines
from server.serving.catalogue import LOOP, WHOLE
from server.serving.lifecycle import bind_ports, serve_http
from server.settings import name_variable

ROOT = Path(__file__).parents[2]

PLENTY: Mapping[str, str] = {
    "tenant_rate": "1000000",
    "tenant_burst": "1000000",
    "tenant_calls": "10000",
    "caller_rate": "1000000",
    "caller_burst": "1000000",
    "caller_calls": "10000",
}
"""Budgets that no test spends by accident."""


class Kept:
    """An audit sink that a test can read."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        """See `Sink.write`."""
        self.text += text

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class World:
    """The two servers, running in a thread of their own.

    Parameters:
        organisations: what a tokens file says of each.
        minted: tokens made during the run, besides those of the tokens file.
    """

    portal: BlockingPortal = field(repr=False)
    local: LocalStack = field(repr=False)
    audit: Kept
    log: StringIO
    folder: Path
    organisations: Mapping[str, Any] = field(repr=False)
    minted: set[str] = field(default_factory=set, repr=False)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the MCP side."""
        return self.local.mcp_url.removesuffix("/mcp")

    @property
    def port(self) -> int:
        """The port of the MCP side."""
        return int(self.origin.rpartition(":")[2])

    def token(self, name: str = "admin", organisation: str = "acme") -> str:
        """One of the tokens of the tokens file."""
        known = self.organisations[organisation]
        return str(known["x_api_token"] if name == "x_api_token" else known["tokens"][name])

    def domain(self, organisation: str = "acme") -> str:
        """What a client of this organisation sends as x-api-domain."""
        return str(self.organisations[organisation]["api_domain"])

    def headers(self, token: str = "admin", organisation: str = "acme", **more: str) -> dict[str, str]:
        """The two headers of a client's config; `x_agent_mode="planner"` and the like are added."""
        said = {"x-api-domain": self.domain(organisation)} | {n.replace("_", "-"): v for n, v in more.items()}
        if token == "x_api_token":
            return said | {"x-api-token": self.token(token, organisation)}
        return said | {"authorization": f"Bearer {self.token(token, organisation)}"}

    def mint(self, organisation: str = "acme", **order: Any) -> str:
        """A genuine token; see `Sandbox.mint`."""
        token = self.portal.call(partial(self.local.sandbox.mint, organisation, **order))
        self.minted.add(token)
        return token

    def revoke(self, token_id: str) -> None:
        """Call a token back."""
        self.portal.call(self.local.sandbox.revoke, token_id)

    def child_environment(self, headers: Mapping[str, str]) -> dict[str, str]:
        """What a stdio child is started with; it writes its audit lines where `written` finds them."""
        own = {ENVIRONMENT[name]: value for name, value in headers.items() if name in ENVIRONMENT}
        plenty = {name_variable(name): value for name, value in PLENTY.items()}
        audit = {name_variable("audit_file"): str(self.folder / f"child-{os.urandom(6).hex()}.audit")}
        path = {"PATH": os.defpath, "PYTHONPATH": str(ROOT)}
        return {**path, **self.local.environment, **plenty, **audit, **own, name_variable("log_level"): "info"}

    def written(self) -> str:
        """All that the server and its children wrote so far, answers to clients apart."""
        children = [path.read_text() for path in sorted(self.folder.glob("child-*"))]
        return "".join((self.audit.text, self.log.getvalue(), *children))

    def secrets(self) -> set[str]:
        """Every token of the run."""
        found = self.minted | {known["x_api_token"] for known in self.organisations.values()}
        return found.union(*(known["tokens"].values() for known in self.organisations.values()))


ENVIRONMENT: Mapping[str, str] = {
    "authorization": "NUDJ_MCP_TOKEN",
    "x-api-token": "NUDJ_API_TOKEN",
    "x-api-domain": "NUDJ_API_DOMAIN",
    "x-agent-mode": "NUDJ_AGENT_MODE",
    "x-toolsets": "NUDJ_TOOLSETS",
}
"""Where a stdio child finds what would be headers."""


@contextmanager
def running(**settings: str) -> Iterator[World]:
    """A world, alive while the block runs."""
    given = argparse.Namespace(port="0", **PLENTY, **settings)
    audit, log = Kept(), StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            start_blocking_portal("asyncio", backend_options=LOOP) as portal,
            portal.wrap_async_context_manager(run_local_stack(given, audit)) as here,
        ):
            organisations = portal.call(here.tokens)["organisations"]
            portal.call(anyio.sleep, 1.2)  # by then the server has heard which of them are revoked
            yield World(portal, here, audit, log, Path(folder), organisations)
    finally:
        logging.getLogger().removeHandler(handler)


@asynccontextmanager
async def beside(
    world: World, *, connect_to: Mapping[str, str] | None = None, audit: Sink | None = None, **settings: Any
) -> AsyncIterator[str]:
    """Another server that trusts the world's tenant, in the test's own loop; gives its origin.

    Parameters:
        connect_to: subdomain -> `address:port`: tenants of which hand-written sites take the place.
        settings: what it does otherwise than the world's own server.
    """
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "tenants.toml"
        directory.write_text(write_directory(world, connect_to or {}))
        told = {"host": "127.0.0.1", "port": 0, "tenants_file": directory, "drain_s": 1.0} | settings
        wanted = world.local.settings.model_copy(update=told)
        with bind_ports(wanted) as ports:
            async with (
                deploy(wanted, load_files(wanted), WHOLE, audit or Kept()) as deployment,
                serve_http(deployment, ports),
            ):
                yield f"http://127.0.0.1:{ports.number}"


def write_directory(world: World, connect_to: Mapping[str, str]) -> str:
    """A directory file of the world's organisations."""
    tenant = world.local.sandbox.issuer.partition("://")[2]
    return "\n".join(
        f'[tenants.{name}]\norganisation = "{known["id"]}"\napi_domain = "{known["api_domain"]}"\n'
        f'connect_to = "{connect_to.get(name, tenant)}"\n'
        for name, known in world.organisations.items()
    )
