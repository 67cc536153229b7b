"""`nudj-mcp serve --sandbox`: the hosted server and an embedded tenant to try it against, in one process."""

import argparse
import logging
import sys

from server.cli.local_stack import run_local_stack, write_tokens
from server.observability.audit import Stream
from server.serving.lifecycle import wait_until_stopped

_log = logging.getLogger(__name__)


async def serve(arguments: argparse.Namespace) -> int:
    """Serve until stopped.

    Raises:
        SettingsError, OSError: before a port is open.
    """
    async with run_local_stack(arguments, Stream(sys.stdout)) as world:
        if arguments.tokens is not None:
            write_tokens(arguments.tokens, world.tokens())
        # Standard output is the audit's; what a person needs to sign in goes beside it.
        print(world.describe(), file=sys.stderr, flush=True)
        _log.info("serving at %s, with an embedded tenant", world.mcp_url)
        await wait_until_stopped(world.health, world.settings)
    return 0
