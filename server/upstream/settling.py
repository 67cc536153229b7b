"""Work that is not torn in the middle: what was begun at a tenant is heard out for a moment though nobody waits."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio

ResultT = TypeVar("ResultT")

SETTLE_S = 2.0
"""Seconds for which an answer is still waited for by a call that was given up."""


async def settle(work: Coroutine[Any, Any, ResultT], patience_s: float = SETTLE_S) -> tuple[ResultT, bool]:
    """Do the work to its end, though the caller is cancelled meanwhile.

    Parameters:
        patience_s: seconds the work may still take once the caller was cancelled, >= 0.

    Returns:
        What the work gave, and whether the caller was cancelled and still has to leave.

    Raises:
        asyncio.CancelledError: the caller was cancelled and the work did not end in time; it was cancelled too.
    """
    task = asyncio.ensure_future(work)
    given_up: asyncio.CancelledError | None = None
    with anyio.CancelScope(shield=True):
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as cancelled:
            given_up = cancelled
            await _wait(task, patience_s)
            if not task.done():
                task.cancel()
                await _wait(task, 0.1)
    if given_up is not None and (task.cancelled() or not task.done()):
        raise given_up
    return task.result(), given_up is not None


async def _wait(task: "asyncio.Task[ResultT]", patience_s: float) -> None:
    ends = asyncio.get_running_loop().time() + patience_s
    while not task.done() and (left := ends - asyncio.get_running_loop().time()) > 0:
        try:
            await asyncio.wait({task}, timeout=left)
        except asyncio.CancelledError:
            continue  # the caller is cancelled already; the work still has its moment
