"""Names to addresses in threads that nobody waits for: a host whose name servers are silent costs the others nothing.

The loop's own look-ups share a handful of threads, and every one that hangs takes one of them away. That a name is
asked for once at a time, and its answer kept for a few seconds, is the connector's part.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from aiohttp.abc import AbstractResolver, ResolveResult

Resolve = Callable[[str, int, socket.AddressFamily], list[ResolveResult]]


def resolve_by_system(host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
    """What the machine's own resolver says; waits as long as that does.

    Raises:
        OSError: it knows no such name, or could not ask.
    """
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    except UnicodeError as fault:  # a name no resolver takes is not even encoded
        raise OSError(str(fault)) from None
    return [
        ResolveResult(hostname=host, host=str(at[0]), port=int(at[1]), family=kind, proto=proto, flags=0)
        for kind, _, proto, _, at in found
    ]


class Resolver(AbstractResolver):
    """Asks in threads that nothing waits for, not even the end of the process.

    Parameters:
        ask: finds the addresses of a name, in a thread.
        at_once: names asked for at a time, > 0.
    """

    def __init__(self, ask: Resolve = resolve_by_system, *, at_once: int = 128) -> None:
        self._ask = ask
        self._turns = asyncio.Semaphore(at_once)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """See aiohttp's AbstractResolver; names under localhost are this machine (RFC 6761 section 6.3)."""
        async with self._turns:
            return await self._in_a_thread("localhost" if host.endswith(".localhost") else host, port, family)

    async def close(self) -> None:
        """Nothing to close."""

    def _in_a_thread(self, host: str, port: int, family: socket.AddressFamily) -> asyncio.Future[list[ResolveResult]]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def settle(found: list[ResolveResult] | OSError) -> None:
            if answer.done():
                return
            answer.set_exception(found) if isinstance(found, OSError) else answer.set_result(found)

        def ask() -> None:
            found: list[ResolveResult] | OSError
            try:
                found = self._ask(host, port, family)
            except OSError as fault:
                found = fault
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=ask, daemon=True, name=f"look-up of {host}").start()
        return answer


class FixedResolver(AbstractResolver):
    """Every name leads to one place, which may be a name itself.

    Parameters:
        place: `address:port`.
        resolver: finds the place when it is a name.
    """

    def __init__(self, place: str, resolver: AbstractResolver) -> None:
        address, _, port = place.rpartition(":")
        self._address, self._port = address.strip("[]"), int(port)
        self._resolver = resolver

    async def resolve(
        self,
        host: str,  # noqa: ARG002 - whatever it is
        port: int = 0,  # noqa: ARG002
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> list[ResolveResult]:
        """See aiohttp's AbstractResolver."""
        return await self._resolver.resolve(self._address, self._port, family)

    async def close(self) -> None:
        """Nothing to close."""
