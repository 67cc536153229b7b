"""`nudj-mcp doctor`: say why a connection does not work, in one sentence each, and what to do about it."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio

from server.clients.client import Machine
from server.clients.own_process import isolate_ourselves
from server.clients.table import CLIENTS, find_client
from server.doctor.client_setup import LocalSetup, RemoteSetup, Setup, build_setup
from server.doctor.diagnosis import STEPS, Diagnosis
from server.doctor.results import EXIT, Step
from server.settings import read_environment

_CLEAR = "\033[K"
_MARKS = {True: "✓", False: "✗", None: "·"}


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = subparsers.add_parser(
        "doctor",
        help="find out why a connection does not work",
        epilog="exit codes: 0 a call went all the way; 2 wrong command line; "
        + ", ".join(f"{code} {kind.value}" for kind, code in EXIT.items()),
        description="Walks the way of a real call. Without CLIENT, --file or --url: over stdio, in this environment.",
    )
    parser.add_argument(
        "client",
        nargs="?",
        help="the client whose ways to follow",
        choices=[client.name for client in CLIENTS if client.places],
    )
    parser.add_argument("--file", type=Path, help="a client's config file; default: where CLIENT keeps it")
    parser.add_argument("--name", help="the name the file lists the server under")
    parser.add_argument("--url", help="examine this deployment, with NUDJ_MCP_TOKEN and NUDJ_API_DOMAIN as headers")
    parser.add_argument("--trust", type=Path, help="CA file that may vouch for this server's host, and for no other")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Examine; 0 when a call went all the way, otherwise the exit code of what kept it."""
    around = read_environment()
    steps: list[Step] = []

    live = sys.stdout.isatty() and not arguments.json

    def begin(name: str) -> None:
        if live:
            print(f"… {name}", end="\r", flush=True)

    def tell(step: Step) -> None:
        steps.append(step)
        if not arguments.json:
            print(f"{_CLEAR if live else ''}{format_step(step)}", flush=True)

    anyio.run(Diagnosis(tell, begin, arguments.trust).along, lambda: find_setup(arguments, around))
    broken = next((step for step in steps if step.good is False), None)
    if broken is not None:
        for name in STEPS[STEPS.index(broken.name) + 1 :]:
            tell(Step(name, None, "not reached"))
    if arguments.json:
        print(json.dumps({"ok": broken is None, "steps": [step.plain() for step in steps]}, ensure_ascii=False))
    return 0 if broken is None or broken.kind is None else EXIT[broken.kind]


def format_step(step: Step) -> str:
    """A step as a line, with its fix below when it failed."""
    line = f"{_MARKS[step.good]} {step.name:<13}{step.said}"
    return line if step.fix is None else f"{line}\n  {'':<13}{step.fix}"


def find_setup(arguments: argparse.Namespace, around: Mapping[str, str]) -> Setup:
    """What the command line points at, as the client would make it.

    Raises:
        Broken: the client could make nothing of it.
    """
    if arguments.url is not None:
        return RemoteSetup(arguments.url, _build_headers(around))
    if arguments.client is None and arguments.file is None:
        own = isolate_ourselves(around, "stdio")
        return LocalSetup(own.command, own.environment)
    client = None if arguments.client is None else find_client(arguments.client)
    return build_setup(client, arguments.file, arguments.name, Machine(sys.platform, Path.home(), Path.cwd(), around))


def _build_headers(around: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    headers = []
    if (token := around.get("NUDJ_MCP_TOKEN")) is not None:
        headers.append(("Authorization", f"Bearer {token}"))
    if (domain := around.get("NUDJ_API_DOMAIN")) is not None:
        headers.append(("x-api-domain", domain))
    return tuple(headers)
