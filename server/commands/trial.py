"""`nudj-mcp serve --sandbox`: the hosted server and an embedded tenant to try it against, in one process."""

import argparse
import logging
import sys

from server.audit import Stream
from server.commands.local import local, write_tokens
from server.running import until_stopped

_log = logging.getLogger(__name__)


async def serve(arguments: argparse.Namespace) -> int:
    """Serve until stopped.

    Raises:
        SettingsError, OSError: before a port is open.
    """
    async with local(arguments, Stream(sys.stdout)) as world:
        if arguments.tokens is not None:
            write_tokens(arguments.tokens, world.tokens())
        _log.info("serving at %s, with an embedded tenant", world.mcp_url)
        await until_stopped(world.health, world.settings)
    return 0
