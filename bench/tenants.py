"""`python -m bench.tenants`: does a call cost more when there are 10,000 organisations and 100,000 tokens than when
there is one of each? Every organisation has a host of its own; every call is another caller's, drawn by lot.
"""

import argparse
import itertools
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import machine
from bench.issuer import Issuer
from bench.load import Heard, load, loading
from bench.process import Process, free_port
from bench.scene import product
from bench.tenant import communities, last_id, tenant
from bench.wires import Request, call, check

ALLOWED = 1.2
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Load:
    """How a town is asked; see `loading`. `judged` where there is room, for at the limit a median is capacity."""

    name: str
    connections: int
    pause_ms: int
    judged: bool = True


LOADS = (Load("one at a time", 1, 0), Load("400 a second", 4, 10), Load("all it can", AT_ONCE, 0, judged=False))
RESULTS = Path(__file__).parent / "results"


@dataclass
class Town:
    """A server, the requests of all who live there, and what was measured of each load."""

    organisations: int
    tokens: int
    server: Process
    requests: Sequence[Request]
    folder: Path
    fresh_mb: float
    heard: dict[Load, list[Heard]] = field(default_factory=dict)

    def p50(self, load: Load) -> float:
        """The median of a load over the rounds, in microseconds."""
        return median(heard.p50 for heard in self.heard[load])

    def rows(self) -> str:
        """Its lines of the table."""
        town = f"{self.organisations:,} | {self.tokens:,}"
        memory = f"{self.fresh_mb:,.0f} | {self.server.rss_mb():,.0f} | {self.server.files():,}"
        return "\n".join(
            f"| {town} | {load.name} | {self.p50(load):,.0f} | {median(each.p99 for each in heard):,.0f} "
            f"| {median(each.per_second for each in heard):,.0f} | {memory} |"
            for load, heard in self.heard.items()
        )


@contextmanager
def town(issuer: Issuer, organisations: int, tokens: int) -> Iterator[Town]:
    """A server with so many organisations, and a nginx that is the API of all of them."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        ids = [f"{number + 1:024x}" for number in range(organisations)]
        domains = {each: f"http://{each}.localhost:{port}/api/v2/admin" for each in ids}
        marker = last_id(communities(ids[0]))
        requests = [_request(issuer, ids[number % organisations], domains, number, marker) for number in range(tokens)]
        named = {f"t{number}": (each, domains[each]) for number, each in enumerate(ids)}
        with tenant(folder, ids, port), product(folder, issuer, named) as server:
            yield Town(organisations, tokens, server, requests, folder, server.rss_mb())


def _request(issuer: Issuer, organisation: str, domains: dict[str, str], number: int, marker: str) -> Request:
    token = issuer.token(organisation, f"person-{number}", f"token-{number}")
    credentials = {"authorization": f"Bearer {token}", "x-api-domain": domains[organisation]}
    return call("2026-07-28", "list_communities", credentials, marker)


def warmed(town: Town) -> None:
    """Have the tokens used, and a sample of answers compared with what they must be."""
    chosen = random.sample(list(town.requests), min(50, town.tokens))
    wanted = [f"{number:024x}" for number in range(int(town.requests[0].marker, 16) + 1)]
    for each in chosen:
        check(each, town.server.port, wanted)
    for begin in range(0, town.tokens, 5_000):
        some = town.requests[begin : begin + 5_000]
        load(some, town.server.port, connections=AT_ONCE, seconds=1 + len(some) // 800, folder=town.folder)
        print(f"  {town.organisations:,} organisations: {begin + len(some):,} tokens used", file=sys.stderr, flush=True)


def measure(towns: Sequence[Town], rounds: int, seconds: int) -> None:
    """Load one town after the other, round after round.

    Raises:
        RuntimeError: an answer was wrong or did not come.
    """
    for how, _, each in itertools.product(LOADS, range(rounds), towns):
        port = each.server.port
        with loading(each.requests, port, connections=how.connections, pause_ms=how.pause_ms, seconds=seconds) as ended:
            heard = ended()
        if heard.wrong or heard.broken:
            raise RuntimeError(f"{each.organisations} organisations: {heard}")
        each.heard.setdefault(how, []).append(heard)


def ratio(towns: Sequence[Town], load: Load) -> float:
    """The median of the largest town over that of the smallest."""
    return towns[-1].p50(load) / towns[0].p50(load)


def main() -> int:
    """Measure; 1 when a median of the largest town is more than 20 % over that of the smallest."""
    parser = argparse.ArgumentParser(prog="python -m bench.tenants", description=__doc__)
    parser.add_argument("--organisations", type=int, default=10_000)
    parser.add_argument("--tokens-each", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    said = parser.parse_args()
    issuer = Issuer()
    with ExitStack() as stack:
        towns = [
            stack.enter_context(town(issuer, count, count * said.tokens_each)) for count in (1, 100, said.organisations)
        ]
        for each in towns:
            warmed(each)
        measure(towns, said.rounds, said.seconds)
        page = _page(towns)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "tenants.md").write_text(page, "utf-8")
    print(page)
    return 0 if all(ratio(towns, load) <= ALLOWED for load in LOADS if load.judge) else 1


def _page(towns: Sequence[Town]) -> str:
    about = "\n".join(f"- {name}: {said}" for name, said in machine.described().items())
    rows = "\n".join(each.rows() for each in towns)
    ratios = "\n".join(
        f"- {load.name}: {ratio(towns, load):.2f}" + (f" (allowed {ALLOWED:.2f})" if load.judge else "")
        for load in LOADS
    )
    return f"""# Many organisations

Made by `python -m bench.tenants`; each call is of a caller drawn by lot, medians over alternated rounds. RSS once
started and after the load; one kept connection per organisation is among the open files. The last load, {AT_ONCE} at
once without a pause, is more than one core can carry: its median is capacity rather than latency.

{about}

| organisations | tokens | load | p50 us | p99 us | calls/s | RSS at start MB | RSS after MB | open files |
|--:|--:|---|--:|--:|--:|--:|--:|--:|
{rows}

The median of the largest over that of the smallest:

{ratios}
"""


if __name__ == "__main__":
    sys.exit(main())
