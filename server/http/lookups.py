"""Names to addresses, each name asked for once at a time, so that a host whose name servers are silent costs the
others nothing: the loop's own look-ups share a handful of threads, and every one that hangs takes one of them away.
"""

import asyncio
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

Addresses = tuple[str, ...]


def resolve_by_system(host: str) -> Addresses:
    """What the machine's own resolver says; waits as long as that does.

    Raises:
        OSError: it knows no such name, or could not ask.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class Lookups:
    """Asks in threads that nothing waits for, not even the end of the process.

    Parameters:
        resolve: finds the addresses of a name, in a thread.
        at_once: names asked for at a time, > 0.
        kept_s: seconds an answer is used again; a failure is not kept.
        size: names remembered, > 0.
    """

    def __init__(
        self,
        resolve: Callable[[str], Addresses] = resolve_by_system,
        *,
        at_once: int = 64,
        kept_s: float = 10.0,
        size: int = 20_000,
    ) -> None:
        self._resolve = resolve
        self._turns = asyncio.Semaphore(at_once)
        self._kept_s = kept_s
        self._size = size
        self._known: OrderedDict[str, tuple[float, Addresses]] = OrderedDict()
        self._asked: dict[str, asyncio.Task[Addresses]] = {}

    async def addresses(self, host: str) -> Addresses:
        """Where a name leads; whoever asks while somebody else does shares the answer.

        Raises:
            OSError: nowhere, or nobody could tell.
        """
        until, known = self._known.get(host, (0.0, ()))
        if until > time.monotonic():
            return known
        if host not in self._asked:
            self._asked[host] = asyncio.create_task(self._look_up(host))
            self._asked[host].add_done_callback(lambda task: self._over(host, task))
        return await asyncio.shield(self._asked[host])  # whoever stops waiting stops for itself alone

    def close(self) -> None:
        """Wait for nothing any more."""
        for task in self._asked.values():
            task.cancel()

    async def _look_up(self, host: str) -> Addresses:
        async with self._turns:
            found = await self._in_a_thread(host)
        self._known[host] = (time.monotonic() + self._kept_s, found)
        self._known.move_to_end(host)
        if len(self._known) > self._size:
            self._known.popitem(last=False)
        return found

    def _over(self, host: str, task: asyncio.Task[Addresses]) -> None:
        del self._asked[host]
        if not task.cancelled():
            task.exception()  # those who still wait have it; when nobody does, it is no news

    def _in_a_thread(self, host: str) -> asyncio.Future[Addresses]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Addresses] = loop.create_future()

        def settle(found: Addresses | OSError) -> None:
            if answer.done():
                return
            answer.set_exception(found) if isinstance(found, OSError) else answer.set_result(found)

        def ask() -> None:
            found: Addresses | OSError
            try:
                found = self._resolve(host)
            except (OSError, UnicodeError) as fault:  # a name no resolver takes is not even encoded
                found = fault if isinstance(fault, OSError) else OSError(str(fault))
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=ask, daemon=True, name=f"look-up of {host}").start()
        return answer
