"""The receiving half of an ASGI request: what was taken can be given back, and it tells when a client has left."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Message, Receive

AT_ONCE_S = 0.03
"""Whoever is answered sooner is not watched: a watcher costs a task, and most calls are over before it would start."""


def replay(first: Message, receive: Receive) -> Receive:
    """A receive that gives the message that was already taken once more."""
    waiting = [first]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


@contextmanager
def cancel_when_gone(receive: Receive) -> Iterator[None]:
    """Leave the block when the client has gone; the request's body must have been received."""
    call = asyncio.current_task()
    watching: list[asyncio.Task[None]] = []
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = call is not None and call.cancel()

    later = asyncio.get_running_loop().call_later(AT_ONCE_S, lambda: watching.append(asyncio.create_task(watch())))
    try:
        yield
    except asyncio.CancelledError:
        if not gone or call is None or call.uncancel():
            raise
    finally:
        later.cancel()
        for task in watching:
            task.cancel()
