"""The stage of the comparison: one tenant, this server and the other one, all running, and what to send to each."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.issuer import Issuer
from bench.peer import document, peer
from bench.process import SERVER_CORE, Process, free_port, module, running
from bench.tenant import ORGANISATION, communities, last_id, tenant
from bench.wires import WIRES, Request, call, check, direct
from server.settings import name_variable

UNBOUNDED = "1000000000"


@dataclass(frozen=True, slots=True)
class Contender:
    """One column of the table: who answers, and what it is asked. `wire` is None for the tenant itself."""

    server: str
    wire: str | None
    process: Process
    request: Request


@contextmanager
def scene(folder: Path, python: Path, *, lean: bool) -> Iterator[list[Contender]]:
    """Everything running, every answer checked once before and once after the block.

    Parameters:
        folder: for configurations, logs and the audit file.
        python: the interpreter that has FastMCP.
        lean: whether its document is the leanest there is rather than the API's own.
    """
    issuer = Issuer()
    port = free_port()
    domain = f"http://127.0.0.1:{port}/api/v2/admin"
    body = communities(ORGANISATION)
    marker = last_id(body)
    credentials = {"authorization": f"Bearer {issuer.token(ORGANISATION)}", "x-api-domain": domain}
    with (
        tenant(folder, [ORGANISATION], port) as upstream,
        product(folder, issuer, {"bench": (ORGANISATION, domain)}) as ours,
        peer(python, folder, free_port(), port, issuer, document(lean=lean)) as theirs,
    ):
        contenders = [Contender("tenant", None, upstream, direct(credentials, marker))]
        for wire in WIRES:
            contenders.append(Contender("nudj-mcp", wire, ours, call(wire, "list_communities", credentials, marker)))
            contenders.append(Contender("FastMCP", wire, theirs, call(wire, "getCommunities", credentials, marker)))
        wanted = [f"{number:024x}" for number in range(int(marker, 16) + 1)]
        for _ in range(2):
            for one in contenders:
                check(one.request, one.process.port, wanted)
        yield contenders
        for one in contenders:
            check(one.request, one.process.port, wanted)
        _watched(folder, ours)


@contextmanager
def product(folder: Path, issuer: Issuer, tenants: Mapping[str, tuple[str, str]], **more: str) -> Iterator[Process]:
    """This server with every check, the audit file and metrics on, while the block runs.

    Parameters:
        tenants: by subdomain, the pair of organisation and API domain.
        more: further settings. Budgets are so large that they never refuse; they are counted all the same.
    """
    issuer.write_keys(folder / "keys.json")
    entries = (
        f'[tenants.{name}]\norganisation = "{organisation}"\napi_domain = "{domain}"\n'
        for name, (organisation, domain) in tenants.items()
    )
    (folder / "tenants.toml").write_text("\n".join(entries), "utf-8")
    port = free_port()
    settings = {
        "port": str(port),
        "auth_verify": "keys",
        "auth_keys_file": str(folder / "keys.json"),
        "auth_issuer": issuer.issuer,
        "auth_audience": issuer.audience,
        "tenants_file": str(folder / "tenants.toml"),
        "audit_file": str(folder / "audit.jsonl"),
        "metrics_port": str(free_port()),
        **{f"{who}_{what}": UNBOUNDED for who in ("tenant", "caller") for what in ("rate", "burst", "calls")},
        **more,
    }
    environment = {name_variable(name): value for name, value in settings.items()}
    command, log = module("bench.product"), folder / "product.log"
    with running("nudj-mcp", command, port, core=SERVER_CORE, log=log, environment=environment) as process:
        yield process


def _watched(folder: Path, ours: Process) -> None:
    """Fail unless the audit was on."""
    if not (folder / "audit.jsonl").stat().st_size:
        raise RuntimeError(f"nothing was audited by {ours}")
