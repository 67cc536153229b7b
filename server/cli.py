"""The words of the command line; everything is wired together from here."""

import argparse
import sys
from collections.abc import Sequence

from server import __version__, logs
from server.commands import config, demo, doctor, login, sandbox, serve, stdio
from server.settings import SettingsError

COMMANDS = (demo, serve, stdio, sandbox, config, doctor, login)

MISCONFIGURED = 2

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
    logs.configure()
    try:
        code: int = said.run(said)
    except SettingsError as wrong:
        _complain(wrong.mistakes)
        code = MISCONFIGURED
    except OSError as fault:
        _complain((f"a file or port cannot be opened: {fault}",))
        code = MISCONFIGURED
    return code


def _complain(mistakes: Sequence[str]) -> None:
    print("nudj-mcp cannot start; correct these and start again:", file=sys.stderr)
    for mistake in mistakes:
        print(f"  - {mistake}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
