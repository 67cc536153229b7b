"""Callers that keep calling while something happens to the server, and what became of each of their calls."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

import aiohttp

from tests.support.raw_clients import Http, speaking


@dataclass
class Outcomes:
    """What callers saw: codes of answers (`ok` or a refusal's), and `failed` for calls without any."""

    codes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def p99_ms(self) -> float:
        """The 99th percentile of answered calls."""
        return 1000 * quantiles(self.seconds, n=100)[98]

    @property
    def p50_ms(self) -> float:
        """The median of answered calls."""
        return 1000 * median(self.seconds)

    def __str__(self) -> str:
        return f"{dict(self.codes)}, p50 {self.p50_ms:.0f} ms, p99 {self.p99_ms:.0f} ms"


@asynccontextmanager
async def calling(
    origin: str, headers: Mapping[str, str], *, callers: int = 4, pause_s: float = 0.0, tool: str = "list_challenges"
) -> AsyncIterator[Outcomes]:
    """Call again and again while the block runs, then let the calls under way end.

    Parameters:
        callers: calls under way at a time, > 0.
        pause_s: seconds each caller rests between two calls.
    """
    seen, over = Outcomes(), asyncio.Event()

    async def caller(http: Http) -> None:
        while not over.is_set():
            await _called(http, seen, tool, headers)
            await asyncio.sleep(pause_s)

    async with speaking(origin) as http, asyncio.TaskGroup() as tasks:
        for _ in range(callers):
            tasks.create_task(caller(http))
        try:
            yield seen
        finally:
            over.set()


async def _called(http: Http, seen: Outcomes, tool: str, headers: Mapping[str, str]) -> None:
    arguments: dict[str, Any] = {"limit": 1}
    began = time.perf_counter()
    try:
        heard = await http.call(tool, arguments, headers=headers)
    except (aiohttp.ClientError, OSError) as fault:
        seen.codes["failed"] += 1
        seen.faults.append(repr(fault))
        return
    if heard.status != 200:
        seen.codes["failed"] += 1
        seen.faults.append(f"{heard.status} {heard.raw[:200]!r}")
        return
    seen.codes[heard.code] += 1
    seen.seconds.append(time.perf_counter() - began)
