"""Whose turn it is: how many requests are under way, in all and to one host, before any of them gets a connection."""

import asyncio
from dataclasses import dataclass

from server.http.port import HttpError


@dataclass(slots=True)
class _Host:
    turns: asyncio.Semaphore
    users: int = 0


class Places:
    """Our own queue. No host may have more than half of what is free, so that a few that hang leave room for others.

    Parameters:
        total, per_host: requests under way at once, > 0.
    """

    def __init__(self, total: int, per_host: int) -> None:
        self._total, self._per_host = total, per_host
        self._turns = asyncio.Semaphore(total)
        self._hosts: dict[str, _Host] = {}
        self.users = 0

    async def enter(self, host: str, patience_s: float) -> None:
        """Take a place; `leave` gives it back.

        Raises:
            HttpError: busy, when none came free in time or the host has its share.
        """
        mine = self._hosts.get(host)
        if mine is None:
            mine = self._hosts[host] = _Host(asyncio.Semaphore(self._per_host))
        mine.users += 1
        self.users += 1
        try:
            if mine.users > max(1, (self._total - self.users) // 2):
                raise HttpError("busy", sent=False, why="too many requests to this host are under way")
            if mine.turns.locked() or self._turns.locked():
                await self._wait(mine.turns, patience_s)
            else:
                await mine.turns.acquire()  # neither of the two waits
                await self._turns.acquire()
        except BaseException:
            self._forget(host, mine)
            raise

    def leave(self, host: str) -> None:
        """Give back what `enter` took."""
        mine = self._hosts[host]
        mine.turns.release()
        self._turns.release()
        self._forget(host, mine)

    async def _wait(self, turns: asyncio.Semaphore, patience_s: float) -> None:
        try:
            async with asyncio.timeout(patience_s):
                await turns.acquire()
                try:
                    await self._turns.acquire()
                except BaseException:
                    turns.release()
                    raise
        except TimeoutError:
            raise HttpError("busy", sent=False, why="no request to this host came to its end in time") from None

    def _forget(self, host: str, mine: _Host) -> None:
        self.users -= 1
        mine.users -= 1
        if not mine.users:
            del self._hosts[host]
