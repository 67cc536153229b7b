"""`python -m bench.isolation`: what one organisation that is slow, dead or flooding costs twenty others.

All are served by one process. Beside a neighbour in health, which asks within its budget, the twenty are measured
again and again; the same beside each neighbour in trouble, in turn.
"""

import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import machine
from bench.issuer import Issuer
from bench.load import Heard, loading
from bench.process import free_port
from bench.scene import product
from bench.tenant import communities, last_id, tenant
from bench.wires import Request, call

ALLOWED = 1.2
ROUNDS = 15
ROUND_S = 6
OTHERS = 20
BUDGETS = {
    "tenant_rate": "100",
    "tenant_burst": "100",
    "tenant_calls": "16",
    "caller_rate": "100",
    "caller_burst": "100",
    "caller_calls": "16",
    "upstream_timeout_s": "1",
}
RESULTS = Path(__file__).parent / "results"


@dataclass
class Neighbour:
    """One organisation beside the others, and what was measured: its own calls and the latencies of theirs.

    Parameters:
        connections, pause_ms: how it asks; see `loading`.
    """

    name: str
    does: str
    connections: int
    pause_ms: int
    request: Request
    own: list[Heard] = field(default_factory=list)
    others: list[Heard] = field(default_factory=list)

    def p50(self) -> float:
        """The others' median, in microseconds, over the rounds."""
        return median(heard.p50 for heard in self.others)

    def p99(self) -> float:
        """The others' 99th percentile."""
        return median(heard.p99 for heard in self.others)


@contextmanager
def street() -> Iterator[tuple[int, Sequence[Request], Sequence[Neighbour]]]:
    """The server's port, the others' requests, and the neighbours; the first of them is in health."""
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0), backlog=4096) as silent:
        folder, issuer, port = Path(name), Issuer(), free_port()
        ids = [f"{number + 1:024x}" for number in range(OTHERS + 4)]
        where = {each: f"http://{each}.localhost:{port}/api/v2/admin" for each in ids}
        healthy, slow, dead, flooding = ids[OTHERS:]
        where[slow] = f"http://127.0.0.1:{silent.getsockname()[1]}/api/v2/admin"
        where[dead] = f"http://127.0.0.1:{free_port()}/api/v2/admin"
        marker = last_id(communities(ids[0]))

        def request(organisation: str) -> Request:
            said = {"authorization": f"Bearer {issuer.token(organisation)}", "x-api-domain": where[organisation]}
            return call("2026-07-28", "list_communities", said, marker)

        neighbours = (
            Neighbour("in health", "asks within its budget", 4, 40, request(healthy)),
            Neighbour("slow", "its API takes every connection and never answers", 4, 40, request(slow)),
            Neighbour("dead", "its API refuses every connection", 4, 40, request(dead)),
            Neighbour("flooding", "twenty callers that ask again 10 ms after each answer", 20, 10, request(flooding)),
        )
        named = {f"t{number}": (each, where[each]) for number, each in enumerate(ids)}
        with tenant(folder, ids, port), product(folder, issuer, named, **BUDGETS) as server:
            yield server.port, [request(each) for each in ids[:OTHERS]], neighbours


def measure(port: int, others: Sequence[Request], neighbours: Sequence[Neighbour]) -> None:
    """One neighbour after the other, each round begun by another one, the first round only to warm up.

    Raises:
        RuntimeError: one of the others was not answered rightly.
    """
    for number in range(ROUNDS + 1):
        begin = number % len(neighbours)
        for each in (*neighbours[begin:], *neighbours[:begin]):
            with (
                loading(
                    [each.request], port, connections=each.connections, seconds=ROUND_S + 2, pause_ms=each.pause_ms
                ) as own,
                loading(others, port, connections=4, seconds=ROUND_S, pause_ms=10) as ended,
            ):
                heard = ended()
                if heard.wrong or heard.broken or not heard.calls:
                    raise RuntimeError(f"beside a neighbour {each.name}, the others heard {heard}")
                if number:
                    each.others.append(heard)
                    each.own.append(own())


def page(neighbours: Sequence[Neighbour]) -> str:
    """The report."""
    about = "\n".join(f"- {name}: {said}" for name, said in machine.described().items())
    usual = neighbours[0].p99()
    rows = "\n".join(
        f"| {each.name}: {each.does} | {median(own.per_second for own in each.own):,.0f} "
        f"| {100 * sum(own.wrong for own in each.own) / sum(own.calls for own in each.own):.0f} "
        f"| {median(heard.per_second for heard in each.others):,.0f} | {each.p50():,.0f} | {each.p99():,.0f} "
        f"| {100 * (each.p99() / usual - 1):+.0f} |"
        for each in neighbours
    )
    return f"""# One organisation in trouble

Made by `python -m bench.isolation`. One process serves {OTHERS} organisations in health and a neighbour; the table says
what the calls of the {OTHERS} took beside each neighbour, medians over {ROUNDS} alternated rounds of {ROUND_S} s.
A budget is {BUDGETS["tenant_rate"]} calls a second; a refusal for a spent one is told 0.1 s late.
None of the {OTHERS} was refused anything.

{about}

| neighbour | its calls/s | refused % | the others' calls/s | p50 us | p99 us | p99 moved by % |
|---|--:|--:|--:|--:|--:|--:|
{rows}

Allowed: {100 * (ALLOWED - 1):.0f} %.
"""


def main() -> int:
    """Measure and judge; 1 when a neighbour cost more than is allowed."""
    with street() as (port, others, neighbours):
        measure(port, others, neighbours)
    said = page(neighbours)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "isolation.md").write_text(said, "utf-8")
    print(said)
    return 0 if max(each.p99() for each in neighbours) <= ALLOWED * neighbours[0].p99() else 1


if __name__ == "__main__":
    sys.exit(main())
