"""The unused connections of all connectors: closed when unused for long, and the longest unused first when too many."""

import asyncio
import time
from collections import OrderedDict

from aiohttp.client_proto import ResponseHandler

AT_A_SWEEP, _PAUSE_S = 100, 0.01
"""Connections closed at a time, and seconds between two times, so that closing thousands holds no call up."""


class Idle:
    """Connections that may be used again, the last used last.

    Parameters:
        most: connections kept, >= 0.
        for_s: seconds one is kept.
    """

    def __init__(self, most: int, for_s: float) -> None:
        self._most, self._for_s = most, for_s
        self._since: OrderedDict[ResponseHandler, float] = OrderedDict()
        self._sweeper: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._since)

    def add(self, connection: ResponseHandler) -> None:
        """It is unused from now on."""
        self._since[connection] = time.monotonic()
        if len(self._since) > self._most:
            self._close_oldest()
        elif self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(self._for_s, self.sweep)

    def discard(self, connection: ResponseHandler) -> None:
        """It is used, or no more."""
        self._since.pop(connection, None)

    def sweep(self) -> None:
        """Close what has been unused for long, a little at a time, and look again when the next one is due."""
        since = time.monotonic() - self._for_s
        for _ in range(AT_A_SWEEP):
            if not self._since or next(iter(self._since.values())) > since:
                break
            self._close_oldest()
        self._sweeper = None
        if self._since:
            due = next(iter(self._since.values())) - since
            self._sweeper = asyncio.get_running_loop().call_later(max(due, _PAUSE_S), self.sweep)

    def stop(self) -> None:
        """Sweep no more."""
        if self._sweeper is not None:
            self._sweeper.cancel()

    def _close_oldest(self) -> None:
        self._since.popitem(last=False)[0].abort()
