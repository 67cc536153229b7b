"""MCP over standard input and output: one client, whose credentials are the process's own, judged on every call."""

import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from typing import Any, cast

import anyio
from mcp.server import NotificationOptions, Server
from mcp.server.stdio import stdio_server

_AT_ONCE = 65_536


async def serve(server: Server[Any]) -> None:
    """Speak until the client closes standard input, or the process is told to stop."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_cancel_when_told, tasks.cancel_scope)
        async with stdio_server(stdin=_choose_input()) as (read, write):
            await server.run(read, write, server.create_initialization_options(NotificationOptions()))
        tasks.cancel_scope.cancel()


async def _cancel_when_told(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()
            return


def _choose_input() -> "anyio.AsyncFile[str] | None":
    """Standard input as lines; None takes the SDK's own way, whose thread waits for a line and cannot be cancelled."""
    mode = os.fstat(0).st_mode
    if sys.platform == "win32" or not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(0)):
        return None
    return cast("anyio.AsyncFile[str]", _Lines(0))


class _Lines:
    """Lines of a pipe or terminal, read as they come; the SDK asks of its input only to be iterated."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    async def __aiter__(self) -> AsyncIterator[str]:
        rest = b""
        while True:
            await anyio.wait_readable(self._descriptor)
            part = os.read(self._descriptor, _AT_ONCE)
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                yield line.decode("utf-8", "replace") + "\n"
            if not part:
                if rest:
                    yield rest.decode("utf-8", "replace")
                return
