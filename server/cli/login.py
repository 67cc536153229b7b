"""`nudj-mcp login`, `logout` and `whoami`: a token goes into the keychain once it has proved itself, and out again."""

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import anyio

from server.cli.doctor import format_step
from server.clients import keychain
from server.clients.keychain import KeychainError, Profile
from server.clients.own_process import isolate_ourselves
from server.credentials.secret import Secret
from server.doctor.client_setup import LocalSetup, RemoteSetup, Setup
from server.doctor.diagnosis import Diagnosis
from server.doctor.results import EXIT, Step
from server.settings import read_environment

Command = Callable[[argparse.Namespace], int]


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the three commands on the command line."""
    login = subparsers.add_parser("login", help="keep a token in the keychain, for stdio --profile")
    login.add_argument("--domain", required=True, help="https://<subdomain>.nudj.cx/api/v2/admin")
    login.add_argument("--token-file", help="read the token from this file, - for standard input; default: ask for it")
    login.set_defaults(run=_guard(_login))
    logout = subparsers.add_parser("logout", help="take a token out of the keychain")
    logout.set_defaults(run=_guard(_logout))
    whoami = subparsers.add_parser("whoami", help="who the kept token is to the server")
    whoami.add_argument("--json", action="store_true", help="print one JSON object")
    whoami.set_defaults(run=_guard(_whoami))
    for parser in (login, logout, whoami):
        parser.add_argument("--profile", default=keychain.DEFAULT, help="your own name for this connection")
        parser.add_argument("--profile-file", type=Path, help="keep it in this 0600 file, not in the keychain")
    for parser in (login, whoami):
        parser.add_argument("--url", help="check against this deployment instead of a server started here")
        parser.add_argument("--trust", type=Path, help="CA file that may vouch for the host of --url, and for no other")


def _guard(command: Command) -> Command:
    def run(arguments: argparse.Namespace) -> int:
        try:
            return command(arguments)
        except KeychainError as error:
            print(f"nudj-mcp: {error}", file=sys.stderr)
            return 2

    return run


def _login(arguments: argparse.Namespace) -> int:
    profile = Profile(arguments.profile, arguments.domain, _token(arguments.token_file))
    code = _check(profile, arguments)
    if code == 0:
        print(f"Kept as {profile.name} in {keychain.store(profile, file=arguments.profile_file)}.")
    return code


def _logout(arguments: argparse.Namespace) -> int:
    keychain.forget(arguments.profile, file=arguments.profile_file)
    print(f"Forgot {arguments.profile}. The token itself still works until it is revoked in the admin panel.")
    return 0


def _whoami(arguments: argparse.Namespace) -> int:
    return _check(keychain.read(arguments.profile, file=arguments.profile_file), arguments)


def _token(source: str | None) -> Secret:
    if source is None:
        if not sys.stdin.isatty():
            raise KeychainError(
                "There is no terminal to ask for the token on: hand it over with --token-file FILE or -."
            )
        return Secret(getpass.getpass("Token (hidden): ").strip())
    return Secret((sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")).strip())


def _check(profile: Profile, arguments: argparse.Namespace) -> int:
    """Show who the token is, or the one thing that is wrong; 0 when it works."""
    steps: list[Step] = []
    anyio.run(
        Diagnosis(steps.append, trust=arguments.trust).along, lambda: _setup(profile, arguments.url, read_environment())
    )
    broken = [step for step in steps if step.good is False]
    if getattr(arguments, "json", False):
        told = [step.plain() for step in steps]
        print(json.dumps({"ok": not broken, "profile": profile.name, "steps": told}, ensure_ascii=False))
        return EXIT[broken[0].kind] if broken and broken[0].kind is not None else 0
    for step in broken or [step for step in steps if step.name in ("token", "organisation", "role")]:
        print(format_step(step))
    return EXIT[broken[0].kind] if broken and broken[0].kind is not None else 0


def _setup(profile: Profile, url: str | None, around: Mapping[str, str]) -> Setup:
    token = profile.token.reveal()
    if url is not None:
        return RemoteSetup(url, (("Authorization", f"Bearer {token}"), ("x-api-domain", profile.domain)))
    given = {**around, "NUDJ_MCP_TOKEN": token, "NUDJ_API_DOMAIN": profile.domain}
    own = isolate_ourselves(given, "stdio")
    return LocalSetup(own.command, own.environment)
