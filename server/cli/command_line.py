"""The words of the command line; everything is wired together from here."""

import argparse
import errno
import gc
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

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
    "tools": "call",
    "call": "call",
    "login": "login",
    "logout": "login",
    "whoami": "login",
}
"""The words of the command line, and the module of server.cli behind each."""

MISCONFIGURED = 2
INTERRUPTED = 130

_EPILOG = (
    "exit codes: 0 done; 1 a check did not hold, or a tool refused; 2 the configuration or the command line cannot be "
    "used; 10-17 what keeps a connection from working (see nudj-mcp doctor --help); 130 stopped with Ctrl-C"
)


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
    try:
        Path.cwd()
    except OSError:
        _complain(("the folder you stand in is gone: change into another one",))
        return MISCONFIGURED
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
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        code = INTERRUPTED
    except EOFError:
        print("\nnudj-mcp: the input ended before an answer was given; nothing was changed.", file=sys.stderr)
        code = MISCONFIGURED
    except OSError as fault:
        _complain((_explain(fault),))
        code = MISCONFIGURED
    return code


def _build_parser_for(words: Sequence[str]) -> argparse.ArgumentParser:
    module = COMMANDS.get(words[0]) if words else None
    return build_parser() if module is None else build_parser((module,))


def _explain(fault: OSError) -> str:
    if fault.errno == errno.EADDRINUSE:
        return f"{fault.strerror or 'the port is taken'}; stop what uses it, or choose another one with --port"
    return f"a file or port cannot be opened: {fault}"


def _complain(mistakes: Sequence[str]) -> None:
    print("nudj-mcp cannot start; correct these and start again:", file=sys.stderr)
    for mistake in mistakes:
        print(f"  - {mistake}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
