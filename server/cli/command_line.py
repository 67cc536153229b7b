"""The words of the command line; everything is wired together from here."""

import argparse
import gc
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module

from server import __version__
from server.observability import logs
from server.settings import SettingsError

COMMANDS: Mapping[str, str] = {
    "demo": "demo",
    "serve": "serve",
    "stdio": "stdio",
    "sandbox": "sandbox",
    "config": "config",
    "doctor": "doctor",
    "login": "login",
    "logout": "login",
    "whoami": "login",
}
"""The words of the command line, and the module of server.cli behind each."""

MISCONFIGURED = 2

_EPILOG = """exit codes: 0 done; 1 a check did not hold; 2 the configuration or the command line cannot be used"""


def build_parser(modules: Iterable[str] = tuple(dict.fromkeys(COMMANDS.values()))) -> argparse.ArgumentParser:
    """The command line, whole or cut to some modules: a server starts sooner without what only the demo needs."""
    whole = argparse.ArgumentParser(
        prog="nudj-mcp",
        description="An MCP server whose every tool call is scoped to one organisation.",
        epilog=_EPILOG,
    )
    whole.add_argument("--version", action="version", version=f"nudj-mcp {__version__}")
    subparsers = whole.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in modules:
        import_module(f"server.cli.{module}").add(subparsers)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    gc.disable()  # what is loaded now stays: looking for garbage in it costs a tenth of the start
    said = _build_parser_for(words).parse_args(words)
    gc.freeze()
    gc.enable()
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


def _build_parser_for(words: Sequence[str]) -> argparse.ArgumentParser:
    module = COMMANDS.get(words[0]) if words else None
    return build_parser() if module is None else build_parser((module,))


def _complain(mistakes: Sequence[str]) -> None:
    print("nudj-mcp cannot start; correct these and start again:", file=sys.stderr)
    for mistake in mistakes:
        print(f"  - {mistake}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
