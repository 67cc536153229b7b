"""`nudj-mcp config CLIENT`: print a client's block, or put it into the client's own file and take it out again."""

import argparse
import difflib
import sys
from pathlib import Path

from server.clients import own_process
from server.clients.advice import write_advice
from server.clients.blocks import Block, build_block, build_document, choose_way, find_servers, put, remove
from server.clients.client import DOMAIN, Client, FilePlace, Machine, Way
from server.clients.entries import Reached, read_entry
from server.clients.faults import ConfigError
from server.clients.files import read_text, write_text
from server.clients.keychain import DEFAULT
from server.clients.table import CLIENTS, find_client
from server.clients.target import DEFAULT_URL, Target, check_domain, complete_domain, read_target
from server.settings import read_environment

_QUESTION = "Your organisation (its subdomain, or https://<subdomain>.nudj.cx/api/v2/admin): "
_TRIES = 3


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = subparsers.add_parser(
        "config",
        help="connect an AI client to this server",
        description="Prints the block for a client's file, or with --write merges it in. No block holds a secret.",
        epilog="exit codes: 0 done, or nothing to do; 2 it cannot be, and nothing was written",
    )
    parser.add_argument("client", choices=[client.name for client in CLIENTS])
    target = parser.add_argument_group("where it leads")
    target.add_argument("--url", default=DEFAULT_URL, help="a door of the deployment (default: %(default)s)")
    target.add_argument("--domain", help="the organisation's API: https://<subdomain>.nudj.cx/api/v2/admin")
    target.add_argument(
        "--name", default="nudj", help="the name the client lists this server under (default: %(default)s)"
    )
    target.add_argument("--via", choices=("http", "mcp-remote", "stdio"), help="default: what suits the client best")
    target.add_argument("--profile", help="keychain profile for stdio (see nudj-mcp login)")
    target.add_argument("--header-file", help="0600 file of the Authorization line, for mcp-remote")
    where = parser.add_argument_group("the client's file")
    where.add_argument(
        "--scope", choices=("project", "user", "local"), help="which of its files; default: see docs/clients.md"
    )
    where.add_argument("--file", type=Path, help="the client's file; default: where the client looks for it")
    act = parser.add_argument_group("what to do (default: print the block)")
    which = act.add_mutually_exclusive_group()
    which.add_argument("--write", action="store_true", help="merge into the client's file, keeping a backup")
    which.add_argument("--remove", action="store_true", help="take the server out again, keeping a backup")
    act.add_argument("--dry-run", action="store_true", help="show what --write or --remove would change")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do what the arguments say; 0 when done, 2 when it cannot be."""
    try:
        return _run(arguments)
    except ConfigError as error:
        print(f"nudj-mcp config: {error}", file=sys.stderr)
        return 2


def _run(arguments: argparse.Namespace) -> int:
    client = find_client(arguments.client)
    machine = Machine(sys.platform, Path.home(), Path.cwd(), read_environment())
    place = client.find_place(arguments.scope)
    if place is None and arguments.scope is not None:
        scopes = ", ".join(one.scope for one in client.places) or "none"
        raise ConfigError(f"{client.title} has no file of the scope {arguments.scope};", f"it has: {scopes}.")
    if arguments.remove:
        file, keys = _find_file(client, place, arguments.file, machine)
        before = read_text(file)
        return _finish(arguments, file, before, remove(client, keys, before, arguments.name))
    target = _build_target(arguments, client)
    way: Way = arguments.via or choose_way(client, target)
    block = build_block(client, target, way)
    if not (arguments.write or arguments.dry_run):
        print(client.format.show(build_document(client, target, way, place)), end="")
        print(write_advice(client, target, block, way, place), end="", file=sys.stderr)
        return 0
    file, keys = _find_file(client, place, arguments.file, machine)
    before = read_text(file)
    _tell_replaced(client, find_servers(client, keys, before).get(target.server), block, machine)
    after = put(client, keys, before, target.server, block)
    code = _finish(arguments, file, before, after)
    if not arguments.dry_run:
        print(write_advice(client, target, block, way, place), end="")
    return code


def _build_target(arguments: argparse.Namespace, client: Client) -> Target:
    profile = arguments.profile
    local = (arguments.via or client.ways[0]) == "stdio"
    if profile is None and local and not client.expands_commands and client.members.passed is None:
        profile = DEFAULT
    domain = arguments.domain
    target = read_target(
        arguments.name,
        arguments.url,
        domain,
        command=own_process.name_command(),
        profile=profile,
        header_file=arguments.header_file,
    )
    needs = domain is None and target.subdomain is None and not target.signs_in and not (local and profile)
    if needs and sys.stdin.isatty() and sys.stdout.isatty():
        return read_target(
            arguments.name, arguments.url, _ask(), command=target.command, header_file=target.header_file
        )
    return target


def _ask() -> str:
    for left in reversed(range(_TRIES)):
        try:
            return check_domain(complete_domain(input(_QUESTION)))
        except ConfigError as fault:
            if not left:
                raise
            print(fault, file=sys.stderr)
    raise AssertionError("the last try raises")


def _find_file(
    client: Client, place: FilePlace | None, given: Path | None, machine: Machine
) -> tuple[Path, tuple[str, ...]]:
    if place is None:
        if given is None:
            raise ConfigError(f"Where {client.title} keeps its file is not known here:", "name it with --file.")
        return given.expanduser().resolve(), ("mcpServers",)
    # A linked file (dotfiles) is edited where it really is, so that the link survives.
    return (given or place.locate(machine)).expanduser().resolve(), place.list_keys(machine)


def _tell_replaced(client: Client, old: object, block: Block, machine: Machine) -> None:
    if old is None or old == block:
        return
    before, after = (_describe(client, one, machine) for one in (old, block))
    if before != after:
        print(f"Replaces what led to {before}; now it leads to {after}.")


def _describe(client: Client, block: object, machine: Machine) -> str:
    """Where an entry leads and for which organisation, in words; never a credential."""
    try:
        entry = read_entry(client, block, machine)
    except ConfigError:
        return "something else"
    if isinstance(entry, Reached):
        named = {name.lower(): value for name, value in entry.headers}
        return f"{entry.url} for {named.get('x-api-domain', 'the organisation of the sign-in')}"
    words = [word.partition(":")[2] for word in entry.words if word.startswith("x-api-domain:")]
    profile = entry.words[entry.words.index("--profile") + 1] if "--profile" in entry.words[:-1] else None
    owner = (
        words[0] if words else f"the profile {profile}" if profile else entry.environment.get(DOMAIN, "no organisation")
    )
    return f"{Path(entry.words[0]).name} for {owner}"


def _finish(arguments: argparse.Namespace, file: Path, before: str, after: str) -> int:
    if arguments.dry_run:
        lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), str(file), f"{file} (new)")
        print("".join(line if line.endswith("\n") else f"{line}\n" for line in lines), end="")
        return 0
    if before == after:
        print(f"Unchanged: {file} says this already.")
        return 0
    if (backup := write_text(file, after)) is not None:
        print(f"Backup: {backup}")
    print(f"Written: {file}")
    return 0
