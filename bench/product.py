"""This server as `nudj-mcp serve` runs it, with twenty tools instead of all: as many as the other server offers."""

import signal
import sys

import anyio

from server.assembly import Catalogue, deploy, load_files
from server.observability import logs
from server.observability.audit import Stream
from server.serving.catalogue import LOOP
from server.serving.lifecycle import bind_ports, serve_http, wait_until_stopped
from server.settings import load_settings
from tools import CATALOGUE
from tools.toolsets import TOOLSETS

TOOLS = tuple(tool for tool in CATALOGUE if len(tool.operations) == 1)[:20]
"""The first twenty that are one operation of the API each."""


async def _serve() -> None:
    settings = load_settings({})
    read = load_files(settings)
    logs.set_level(settings.log_level)
    catalogue = Catalogue(TOOLS, TOOLSETS, frozenset(TOOLSETS))
    with bind_ports(settings) as ports:
        async with (
            deploy(settings, read, catalogue, Stream(sys.stdout)) as deployment,
            serve_http(deployment, ports) as health,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(_tell_tasks)
            await wait_until_stopped(health, settings)
            tasks.cancel_scope.cancel()


async def _tell_tasks() -> None:
    """Say how many tasks there are whenever somebody asks by signal."""
    with anyio.open_signal_receiver(signal.SIGUSR1) as asked:
        async for _ in asked:
            print(f"tasks={len(anyio.get_running_tasks())}", flush=True)


if __name__ == "__main__":
    logs.configure()
    anyio.run(_serve, backend_options=LOOP)
