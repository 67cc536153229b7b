"""Rounds of load, contender after contender, so that what else the machine does falls on all of them alike."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.load import load
from bench.scene import Contender


@dataclass(frozen=True, slots=True)
class Measured:
    """One contender at one concurrency, medians over the rounds: microseconds, calls a second, megabytes."""

    server: str
    wire: str | None
    concurrency: int
    p50: float
    p99: float
    per_second: float
    cpu_us: float
    rss_mb: float


def measure(
    contenders: Sequence[Contender],
    *,
    concurrencies: Sequence[int],
    rounds: int,
    seconds: int,
    folder: Path,
    tell: Callable[[str], None],
) -> list[Measured]:
    """Run all rounds; within each, the order turns round every time.

    Raises:
        RuntimeError: an answer was wrong or did not come.
    """
    seen: dict[tuple[int, int], list[Measured]] = {}
    for one in contenders:
        load([one.request], one.process.port, connections=16, seconds=3, folder=folder)
    for turn, concurrency in itertools.product(range(rounds), concurrencies):
        order = list(enumerate(contenders))
        for place, one in order if turn % 2 == 0 else reversed(order):
            found = _once(one, concurrency, seconds, folder)
            seen.setdefault((concurrency, place), []).append(found)
            tell(f"round {turn + 1} c={concurrency:<3} {one.server:9}{one.wire or '-':11}{found.per_second:9.0f}/s")
    return [_middle(several) for _, several in sorted(seen.items())]


def _once(one: Contender, concurrency: int, seconds: int, folder: Path) -> Measured:
    before = one.process.cpu_s()
    heard = load([one.request], one.process.port, connections=concurrency, seconds=seconds, folder=folder)
    spent = one.process.cpu_s() - before
    return Measured(
        one.server,
        one.wire,
        concurrency,
        heard.p50,
        heard.p99,
        heard.per_second,
        spent / heard.calls * 1e6,
        one.process.rss_mb(),
    )


def _middle(several: Sequence[Measured]) -> Measured:
    first = several[0]
    figures = {
        name: median(getattr(each, name) for each in several)
        for name in ("p50", "p99", "per_second", "cpu_us", "rss_mb")
    }
    return Measured(first.server, first.wire, first.concurrency, **figures)
