"""`nudj-mcp config CLIENT`: print a client's block, or put it into the client's own file and take it out again."""

import argparse
import difflib
import json
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from server.clients import client_files, own_process


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = subparsers.add_parser("config", help="connect an AI client to this server")
    parser.add_argument("client", choices=[client.name for client in client_files.CLIENTS])
    parser.add_argument("--url", default="https://mcp.nudj.cx/mcp", help="endpoint of the deployment (/mcp or /sse)")
    parser.add_argument("--domain", help="the organisation's API: https://<subdomain>.nudj.cx/api/v2/admin")
    parser.add_argument("--name", default="nudj", help="the name the client lists this server under")
    parser.add_argument("--via", choices=("http", "mcp-remote", "stdio"), help="default: what suits the client best")
    parser.add_argument("--profile", help="keychain profile for stdio (see nudj-mcp login)")
    parser.add_argument("--header-file", help="0600 file of the Authorization line, for mcp-remote")
    parser.add_argument("--file", type=Path, help="the client's file; default: where the client looks for it")
    act = parser.add_mutually_exclusive_group()
    act.add_argument("--write", action="store_true", help="merge into the client's file, keeping a backup")
    act.add_argument("--dry-run", action="store_true", help="show what --write would change")
    act.add_argument("--remove", action="store_true", help="take the server out again, keeping a backup")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do what the arguments say; 0 when done, 2 when it cannot be."""
    try:
        return _run(arguments)
    except client_files.ConfigError as error:
        print(f"nudj-mcp config: {error}", file=sys.stderr)
        return 2


def _run(arguments: argparse.Namespace) -> int:
    client = client_files.find_client(arguments.client)
    if arguments.remove:
        file = _file(client, arguments.file)
        return _save(file, client_files.remove(_text(file), client, arguments.name))
    document = client_files.build_document(client, _target(arguments), arguments.via)
    if not (arguments.write or arguments.dry_run):
        print(json.dumps(document, indent=2, ensure_ascii=False))
        print(f"For {client.title}; its documentation: {client.docs}", file=sys.stderr)
        return 0
    file = _file(client, arguments.file)
    before = _text(file)
    after = client_files.merge(before, document)
    if arguments.dry_run:
        lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), str(file), f"{file} (new)")
        print("".join(lines), end="")
        return 0
    return _save(file, after)


def _target(arguments: argparse.Namespace) -> client_files.Target:
    return client_files.Target(
        server=arguments.name,
        url=arguments.url,
        domain=arguments.domain,
        command=own_process.name_command(),
        profile=arguments.profile,
        header_file=arguments.header_file,
    )


def _file(client: client_files.Client, given: Path | None) -> Path:
    default = client_files.locate_file(client, sys.platform)
    if given is None and default is None:
        raise client_files.ConfigError(f"Where {client.title} keeps its file is not known here: name it with --file.")
    # A linked file (dotfiles) is edited where it really is, so that the link survives.
    return (given or Path(default or "")).expanduser().resolve()


def _text(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


def _save(file: Path, text: str) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    backup = file.with_name(f"{file.name}.{datetime.now(UTC):%Y%m%dT%H%M%S%f}.bak")
    if file.exists():
        shutil.copy2(file, backup)
        print(f"Backup: {backup}")
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as new:
        new.write(text)
    if file.exists():
        shutil.copymode(file, new.name)
    Path(new.name).replace(file)
    print(f"Written: {file}. Restart the client to make it read its file again.")
    return 0
