"""What a neighbour costs that is slow, dead or flooding: latencies of one organisation with it and without."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.support.hosted_server import Hosted
from tests.support.load_generator import Outcomes, calling
from tests.support.replicas import replicas
from tests.support.scripted_servers import reply, site

BUDGETS = {
    "NUDJ_MCP_TENANT_RATE": "100",
    "NUDJ_MCP_TENANT_BURST": "100",
    "NUDJ_MCP_TENANT_CALLS": "8",
    "NUDJ_MCP_CALLER_RATE": "100",
    "NUDJ_MCP_CALLER_BURST": "100",
    "NUDJ_MCP_UPSTREAM_TIMEOUT_S": "1",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians over the rounds, in milliseconds, and what became of the neighbour's calls and of one's own."""

    alone_p50: float
    alone_p99: float
    beside_p50: float
    beside_p99: float
    own: Outcomes
    neighbour: Outcomes

    def __str__(self) -> str:
        return (
            f"p50 {self.alone_p50:.1f} -> {self.beside_p50:.1f} ms, p99 {self.alone_p99:.1f} -> {self.beside_p99:.1f} "
            f"ms; the neighbour saw {dict(self.neighbour.codes)}"
        )


@asynccontextmanager
async def slow() -> AsyncIterator[str]:
    """A tenant that takes every request and never answers."""

    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the caller hangs up

    async with site(b"", then=silent) as here:
        yield f"127.0.0.1:{here.port}"


@asynccontextmanager
async def dead() -> AsyncIterator[str]:
    """A tenant that refuses every connection."""
    yield "127.0.0.1:1"


@asynccontextmanager
async def flooding() -> AsyncIterator[str]:
    """A tenant that answers at once, on its own; it is its callers who ask too much."""
    async with site(reply(b'{"totalCount":0,"edges":[]}', "content-type: application/json")) as here:
        yield f"127.0.0.1:{here.port}"


TROUBLES: dict[str, Callable[[], AbstractAsyncContextManager[str]]] = {
    "slow": slow,
    "dead": dead,
    "flooding": flooding,
}


async def measure(here: Hosted, trouble: str, *, rounds: int, round_s: float) -> Measured:
    """Latencies of acme at 30 calls a second, alone and beside globex at hundreds.

    Rounds alternate, so that a noisy machine disturbs both alike.
    """
    alone, beside, own, neighbour = [], [], Outcomes(), Outcomes()
    theirs = {"Authorization": f"Bearer {here.token('admin', 'globex')}", "x-api-domain": here.domain("globex")}
    async with TROUBLES[trouble]() as address:
        with _server(here, address) as origin:
            for _ in range(rounds):
                alone.append(await _round(origin, here, round_s))
                async with calling(origin, theirs, callers=12, pause_s=0.03) as hurt:
                    beside.append(await _round(origin, here, round_s))
                neighbour.codes += hurt.codes
    for each in (*alone, *beside):
        own.codes += each.codes
    return Measured(
        median(each.p50_ms for each in alone),
        median(each.p99_ms for each in alone),
        median(each.p50_ms for each in beside),
        median(each.p99_ms for each in beside),
        own,
        neighbour,
    )


async def _round(origin: str, here: Hosted, seconds: float) -> Outcomes:
    async with calling(origin, here.headers("admin", "acme"), callers=2, pause_s=0.06) as seen:
        await asyncio.sleep(seconds)
    return seen


@contextmanager
def _server(here: Hosted, globex: str) -> Iterator[str]:
    well = here.environment["NUDJ_MCP_AUTH_ISSUER"].removeprefix("http://")
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder, "tenants.toml")
        directory.write_text(
            "\n".join(
                f'[tenants.{name}]\norganisation = "{one["id"]}"\napi_domain = "{one["api_domain"]}"\n'
                f'connect_to = "{globex if name == "globex" else well}"\n'
                for name, one in here.organisations.items()
            )
        )
        with replicas(here, 1, NUDJ_MCP_TENANTS_FILE=str(directory), **BUDGETS) as (server,):
            yield server.origin
