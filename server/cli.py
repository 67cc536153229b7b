"""The words of the command line; everything is wired together from here."""

import argparse
import sys
from collections.abc import Sequence

from server import __version__
from server.commands import config, sandbox, serve, stdio

COMMANDS = (serve, stdio, sandbox, config)

_EPILOG = """exit codes: 0 done; 1 a check did not hold; 2 the configuration or the command line cannot be used"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    whole = argparse.ArgumentParser(
        prog="nudj-mcp",
        description="An MCP server whose every tool call is scoped to one organisation.",
        epilog=_EPILOG,
    )
    whole.add_argument("--version", action="version", version=f"nudj-mcp {__version__}")
    subparsers = whole.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(subparsers)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    said = parser().parse_args(arguments)
    code: int = said.run(said)
    return code


if __name__ == "__main__":
    sys.exit(main())
