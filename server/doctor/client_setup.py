"""What a client would do with its config file: expand, split and start as the clients do, and see what is lost."""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from server.clients import keychain
from server.clients.own_process import clean_environment
from server.credentials.parsing import PresentedCredentials
from server.doctor.mcp_remote import VARIABLE, parse_command
from server.doctor.results import blame_config

_ASKED = re.compile(r"\$\{input:[^}]*\}")
_TOKEN = "NUDJ_MCP_TOKEN"


@dataclass(frozen=True, slots=True)
class RemoteSetup:
    """A server reached by URL, and the headers as they will arrive there."""

    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)

    def credentials(self) -> PresentedCredentials:
        """What the server will see of it."""
        return _collect_credentials([(name.lower(), value) for name, value in self.headers])


@dataclass(frozen=True, slots=True)
class LocalSetup:
    """A server the client starts, and what it is given on top of the client's own environment."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)

    def credentials(self) -> PresentedCredentials:
        """What the server will see of it."""
        token = self.environment.get(_TOKEN)
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


def find_entry(text: str, name: str | None) -> Mapping[str, Any]:
    """The server's entry in a client's file.

    Parameters:
        name: as the client lists it; None takes the only one there is, or the one named like us.

    Raises:
        Broken: the file cannot be read as the client reads it, or has no such entry.
    """
    try:
        whole = json.loads(text)
        servers = whole.get("mcpServers") or whole.get("servers") or {}
        names = list(servers)
    except (ValueError, AttributeError, TypeError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise blame_config(
            "not_json",
            f"The file is not the JSON a client reads{where}.",
            "Correct it; `nudj-mcp config` prints a block.",
        ) from None
    likely = [name] if name else names if len(names) == 1 else [one for one in names if one.startswith("nudj")][:1]
    if not likely or not isinstance(servers.get(likely[0]), dict):
        raise blame_config(
            "no_entry",
            f"The file has no server named {name or 'nudj'}; it has {', '.join(names) or 'none'}.",
            "Name one with --name, or add ours with `nudj-mcp config CLIENT --write`.",
        )
    found: Mapping[str, Any] = servers[likely[0]]
    return found


def read_entry(
    block: Mapping[str, Any], environment: Mapping[str, str], *, expands: bool = True, splits: bool = False
) -> Setup:
    """What the client makes of an entry.

    Parameters:
        environment: where the client starts.
        expands: whether this client expands variables in its file (Claude Desktop does not).
        splits: whether this client splits the arguments of a command at spaces (Cursor does).

    Raises:
        Broken: a variable is not set, arguments were split, the command is not there.
    """
    grown = _expand_all(block, environment) if expands else block
    if "url" in grown:
        return RemoteSetup(
            str(grown["url"]), tuple((name, str(value)) for name, value in _read_texts(grown, "headers").items())
        )
    words = (str(grown.get("command", "")), *(str(one) for one in grown.get("args", [])))
    if splits:
        words = tuple(part for word in words for part in word.split(" "))
    # Of the client's own environment no PYTHON* variable, nor this folder, may lead astray what is started here.
    given = {**clean_environment(environment), **_read_texts(grown, "env")}
    place = next((place for place, word in enumerate(words) if word.startswith("mcp-remote")), None)
    return _read_local(words, given) if place is None else RemoteSetup(*parse_command(words[place:], given))


def _read_texts(block: Mapping[str, Any], member: str) -> dict[str, str]:
    return {str(name): str(value) for name, value in dict(block.get(member) or {}).items()}


def _expand_all(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        own = _read_own(value)
        return {
            name: _expand_all(inner, {**environment, **own} if name == "args" else environment)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_expand_all(inner, environment) for inner in value]
    return _expand(value, environment) if isinstance(value, str) else value


def _read_own(block: Mapping[str, Any]) -> Mapping[str, str]:
    # mcp-remote expands what the client left, from the entry's own env; so these stay for it.
    return {name: f"${{{name}}}" for name in _read_texts(block, "env")} if "args" in block else {}


def _expand(text: str, environment: Mapping[str, str]) -> str:
    if _ASKED.search(text):
        if _TOKEN not in environment:
            raise blame_config(
                "prompted", "The client asks a person for the token.", f"Set {_TOKEN} to the token for this check."
            )
        text = _ASKED.sub(lambda _: environment[_TOKEN], text)

    def value(found: re.Match[str]) -> str:
        known = environment.get(found[1], found[2])
        if known is None:
            raise blame_config(
                "unexpanded_variable",
                f"{found[1]} is not set where the client starts, so {found[0]} is sent as it stands.",
                f"Set {found[1]} in the environment of the client, then restart it.",
            )
        return known

    return VARIABLE.sub(value, text)


def _read_local(words: Sequence[str], environment: Mapping[str, str]) -> LocalSetup:
    if shutil.which(words[0], path=environment.get("PATH")) is None:
        raise blame_config(
            "no_command",
            f"The command {words[0] or '(none)'} is not on this machine's path.",
            "Write its absolute path; `nudj-mcp config CLIENT --via stdio` does.",
        )
    if "--profile" in words or "--profile-file" in words:
        environment = {**environment, **_find_profile(words)}
    return LocalSetup(tuple(words), environment)


def _find_profile(words: Sequence[str]) -> Mapping[str, str]:
    said = dict(pairwise(words))
    file = Path(said["--profile-file"]) if "--profile-file" in said else None
    try:
        kept = keychain.read(said.get("--profile", keychain.DEFAULT), file=file)
    except keychain.KeychainError as error:
        raise blame_config("no_profile", str(error), "Log in, or use the environment instead.") from None
    return {_TOKEN: kept.token.reveal(), "NUDJ_API_DOMAIN": kept.domain}
