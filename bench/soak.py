"""`python -m bench.soak`: a day's calls one after the other, or half an hour at full load; memory, files and tasks must
not grow.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression

from bench import machine
from bench.issuer import Issuer
from bench.load import load
from bench.process import Process, free_port
from bench.scene import product
from bench.tenant import ORGANISATION, communities, last_id, tenant
from bench.wires import WIRES, Request, call

DAY_OF_CALLS = 86_400
"""One call a second, all day."""

ALLOWED_KB = 1_000
"""Growth of memory over a day's calls that still counts as none: what an allocator keeps."""

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Sample:
    """The server at one moment."""

    calls: int
    rss_kb: float
    files: int
    tasks: int


def sampled(server: Process, log: Path, calls: int) -> Sample:
    """What the server holds now; it is asked for its tasks by signal and answers in its log."""
    before = len(_TASKS.findall(log.read_text("utf-8", "replace")))
    os.kill(server.pid, signal.SIGUSR1)
    for _ in range(100):
        told = _TASKS.findall(log.read_text("utf-8", "replace"))
        if len(told) > before:
            return Sample(calls, server.rss_mb() * 1024, server.files(), int(told[-1]))
        time.sleep(0.05)
    raise RuntimeError("the server does not tell its tasks")


_TASKS = re.compile(r"tasks=(\d+)")


def soak(server: Process, log: Path, requests: Sequence[Request], seconds: int, folder: Path) -> list[Sample]:
    """Load without a pause until the day's calls are made and the seconds are over; a sample every five seconds."""
    samples, calls, begun = [], 0, time.monotonic()
    while calls < DAY_OF_CALLS or time.monotonic() - begun < seconds:
        calls += load(requests, server.port, connections=16, seconds=5, folder=folder).calls
        time.sleep(0.3)  # let what is under way end, so that only what stays is counted
        samples.append(sampled(server, log, calls))
        now = samples[-1]
        print(f"  {calls:>9,} calls  {now.rss_kb:9,.0f} kB  {now.files} files  {now.tasks} tasks", file=sys.stderr)
    return samples


def slope_kb(samples: Sequence[Sample]) -> float:
    """Growth of memory for each day's calls, over the second half: caches are full by then."""
    late = samples[len(samples) // 2 :]
    return linear_regression([one.calls for one in late], [one.rss_kb for one in late]).slope * DAY_OF_CALLS


def main() -> int:
    """Soak; 1 when anything grows."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--seconds", type=int, default=0, help="at least so long; 1800 is the long form")
    said = parser.parse_args()
    issuer, port = Issuer(), free_port()
    domain = f"http://127.0.0.1:{port}/api/v2/admin"
    marker = last_id(communities(ORGANISATION))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        named = {"bench": (ORGANISATION, domain)}
        with tenant(folder, [ORGANISATION], port), product(folder, issuer, named) as server:
            requests = []
            for number in range(200):
                token = issuer.token(ORGANISATION, f"person-{number}", f"token-{number}")
                credentials = {"authorization": f"Bearer {token}", "x-api-domain": domain}
                requests.append(call(WIRES[number % 2], "list_communities", credentials, marker))
            samples = soak(server, folder / "product.log", requests, said.seconds, folder)
    page, kept = _page(samples)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "soak.md").write_text(page, "utf-8")
    print(page)
    return 0 if kept else 1


def _page(samples: Sequence[Sample]) -> tuple[str, bool]:
    about = "\n".join(f"- {name}: {said}" for name, said in machine.described().items())
    growth = slope_kb(samples)
    half, last = samples[len(samples) // 2], samples[-1]
    kept = growth <= ALLOWED_KB and last.files <= half.files and last.tasks <= half.tasks
    rows = "\n".join(
        f"| {one.calls:,} | {one.rss_kb / 1024:,.1f} | {one.files} | {one.tasks} |"
        for one in samples[:: max(1, len(samples) // 10)]
    )
    verdict = f"{growth:+,.0f} kB for each day's calls over the second half (allowed {ALLOWED_KB:,})"
    return (
        f"""# Soak

Made by `python -m bench.soak`: {last.calls:,} calls of 200 callers on both wires, 16 at once, without a pause.

{about}

| calls | RSS MB | open files | tasks |
|--:|--:|--:|--:|
{rows}

Memory grows by {verdict}; open files and tasks stay. {"Kept." if kept else "NOT KEPT."}
""",
        kept,
    )


if __name__ == "__main__":
    sys.exit(main())
