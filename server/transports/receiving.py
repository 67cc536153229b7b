"""The receiving half of an ASGI request: what was taken can be given back, and it tells when a client has left."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from starlette.types import Message, Receive

AT_ONCE_S = 0.03
"""Whoever is answered sooner is not watched: a watcher costs a task, and most calls are over before it would start."""


def replayed(first: Message, receive: Receive) -> Receive:
    """A receive that gives the message that was already taken once more."""
    waiting = [first]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


@contextmanager
def ended_when_gone(receive: Receive, call: anyio.CancelScope) -> Iterator[None]:
    """Cancel the call when its client has gone; the body must have been received."""
    watching: list[asyncio.Task[None]] = []

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        call.cancel()

    later = asyncio.get_running_loop().call_later(AT_ONCE_S, lambda: watching.append(asyncio.create_task(watch())))
    try:
        yield
    finally:
        later.cancel()
        for task in watching:
            task.cancel()
