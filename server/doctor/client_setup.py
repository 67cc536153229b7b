"""What a client would do with its config file, as the diagnosis goes on with it: a URL with headers, or a process."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from server.clients import keychain
from server.clients.client import TOKEN, Client, Machine
from server.clients.entries import Reached, Started, check_expanded, read_entry
from server.clients.faults import ConfigError
from server.clients.finding import find_entry
from server.clients.own_process import clean_environment
from server.credentials.parsing import PresentedCredentials
from server.doctor.mcp_remote import parse_command
from server.doctor.results import Broken, blame_config


@dataclass(frozen=True, slots=True)
class RemoteSetup:
    """A server reached by URL, and the headers as they will arrive there."""

    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    where: str = ""

    def credentials(self) -> PresentedCredentials:
        """What the server will see of it."""
        return _collect_credentials([(name.lower(), value) for name, value in self.headers])


@dataclass(frozen=True, slots=True)
class LocalSetup:
    """A server the client starts, and what it is given on top of the client's own environment."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    where: str = ""

    def credentials(self) -> PresentedCredentials:
        """What the server will see of it."""
        token = self.environment.get(TOKEN)
        if token is not None and not token.lower().startswith("bearer "):
            token = f"Bearer {token}"
        said = {
            "authorization": token,
            "x-api-token": self.environment.get("NUDJ_API_TOKEN"),
            "x-api-domain": self.environment.get("NUDJ_API_DOMAIN"),
        }
        return _collect_credentials([(name, value) for name, value in said.items() if value is not None])


Setup = RemoteSetup | LocalSetup


def _collect_credentials(headers: Sequence[tuple[str, str]]) -> PresentedCredentials:
    def values(name: str) -> tuple[str, ...]:
        return tuple(value for found, value in headers if found == name)

    return PresentedCredentials(
        authorization=values("authorization"), api_token=values("x-api-token"), domain=values("x-api-domain")
    )


def build_setup(client: Client | None, file: Path | None, name: str | None, machine: Machine) -> Setup:
    """What the client makes of its file.

    Parameters:
        client, file, name: see `server.clients.finding.find_entry`.
        machine: where the client starts.

    Raises:
        Broken: it could make nothing of it, or not what was meant.
    """
    # Of the client's own environment no PYTHON* variable, nor this folder, may lead astray what is started here.
    machine = replace(machine, environment=clean_environment(machine.environment))
    try:
        found = find_entry(client, file, name, machine)
        entry = read_entry(found.client, found.block, machine)
        setup = (
            RemoteSetup(entry.url, entry.headers)
            if isinstance(entry, Reached)
            else _started(found.client, entry, machine)
        )
        where = f"{found.name} in {found.file}"
        if isinstance(setup, RemoteSetup):
            check_expanded(found.client, _named(setup.headers), machine)
            return RemoteSetup(setup.url, setup.headers, where)
        given = [(name, setup.environment[name]) for name in _OURS if name in setup.environment]
        check_expanded(found.client, given, machine)
        return LocalSetup(setup.command, setup.environment, where)
    except ConfigError as fault:
        raise _blame(fault) from None


_OURS = (TOKEN, "NUDJ_API_TOKEN", "NUDJ_API_DOMAIN")


def _blame(fault: ConfigError) -> Broken:
    return blame_config(
        fault.reason, fault.said.rstrip(";:") + ("." if fault.said.endswith((";", ":")) else ""), fault.fix
    )


def _named(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [
        (name, value) for name, value in headers if name.lower() in ("authorization", "x-api-token", "x-api-domain")
    ]


def _started(client: Client, entry: Started, machine: Machine) -> Setup:
    words = entry.words
    place = next((place for place, word in enumerate(words) if word.startswith("mcp-remote")), None)
    if place is not None:
        url, headers = parse_command(words[place:], entry.environment)
        check_expanded(client, [("the URL", url)], machine)
        return RemoteSetup(url, headers)
    if shutil.which(words[0], path=entry.environment.get("PATH")) is None:
        raise blame_config(
            "no_command",
            f"The command {words[0] or '(none)'} is not on this machine's path.",
            "Write its absolute path; `nudj-mcp config CLIENT --via stdio` does.",
        )
    environment = entry.environment
    if "--profile" in words or "--profile-file" in words:
        environment = {**environment, **_find_profile(words)}
    return LocalSetup(words, environment)


def _find_profile(words: Sequence[str]) -> Mapping[str, str]:
    said = dict(pairwise(words))
    file = Path(said["--profile-file"]) if "--profile-file" in said else None
    try:
        kept = keychain.read(said.get("--profile", keychain.DEFAULT), file=file)
    except keychain.KeychainError as error:
        raise blame_config("no_profile", str(error), "Log in, or use the environment instead.") from None
    return {TOKEN: kept.token.reveal(), "NUDJ_API_DOMAIN": kept.domain}
