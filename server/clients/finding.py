"""Which entry a client would use: through its files in its order, or in a file that is named."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.clients.client import Client, FilePlace, Machine
from server.clients.faults import ConfigError
from server.clients.table import CLIENTS, find_client

_ANY = "mcp-remote"
"""The client that stands for those not known by name."""

_ALWAYS_OURS = "nudj"


@dataclass(frozen=True, slots=True)
class Found:
    """An entry, whose it is and where it stands."""

    client: Client
    file: Path
    name: str
    block: Any


def find_entry(client: Client | None, file: Path | None, name: str | None, machine: Machine) -> Found:
    """The entry that the client would use.

    Parameters:
        client: whose; None for whoever keeps a file like this one.
        file: where to look; None looks where the client does.
        name: as the client lists it; None takes the only one there is, or the one named like us.

    Raises:
        ConfigError: there is none, or the client could not read it.
    """
    if file is not None:
        if not file.is_file():
            raise _no_file(f"There is no file {file}.", client)
        return _find_in_file(client or guess_client(file), file, name, machine)
    if client is None:
        raise ConfigError("Neither a client nor a file is named.", "Name one.", "no_file")
    first: ConfigError | None = None
    for place in client.list_places():
        looked = place.locate(machine)
        if not looked.is_file():
            continue
        try:
            return _find_in_place(client, place, looked, name, machine)
        except ConfigError as fault:
            first = _better(first, fault)
    if first is not None:
        raise first
    where = ", ".join(dict.fromkeys(str(place.locate(machine)) for place in client.list_places()))
    raise _no_file(f"There is no file of {client.title} here; it looks for {where}.", client)


def guess_client(file: Path) -> Client:
    """The client that keeps a file of that name, or the one that stands for any."""
    ends = [(place.paths["linux"].removeprefix("~/"), client) for client in CLIENTS for place in client.places]
    named = [client for end, client in ends if str(file.resolve()).replace("\\", "/").endswith(f"/{end}")]
    if named:
        return named[0]
    kinds = {".toml": "codex", ".yaml": "goose", ".yml": "goose"}
    return find_client(kinds.get(file.suffix, _ANY))


def _better(first: ConfigError | None, fault: ConfigError) -> ConfigError:
    """What to tell when no file helps: an unreadable file or a wrong key rather than a file without our name."""
    return fault if first is None or (first.reason == "no_entry" and fault.reason != "no_entry") else first


def _find_in_file(client: Client, file: Path, name: str | None, machine: Machine) -> Found:
    fault: ConfigError | None = None
    whole = client.format.read(_read(file))
    places = client.list_places() or (FilePlace("", {}, ("mcpServers",)), FilePlace("", {}, ("servers",)))
    for place in [one for one in places if one.keys[0] in whole] or places:
        try:
            return _find_in_place(client, place, file, name, machine)
        except ConfigError as found:
            fault = _better(fault, found)
    raise fault or _no_file(f"There is no entry in {file}.", client)


def _find_in_place(client: Client, place: FilePlace, file: Path, name: str | None, machine: Machine) -> Found:
    whole = client.format.read(_read(file))
    keys = place.list_keys(machine)
    servers: Any = whole
    for key in keys:
        if key not in servers:
            raise _no_list(client, whole, keys[-1], name)
        servers = servers[key]
        if not isinstance(servers, Mapping):
            raise ConfigError(
                f"The member {key} of {file.name} is not an object.", "Correct it first.", "not_an_object"
            )
    return _choose(client, file, servers, name)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            f"The file {file} cannot be read as text.", "Check whose it is and save it as UTF-8.", "unreadable"
        ) from None


def _no_list(client: Client, whole: Mapping[str, Any], key: str, name: str | None) -> ConfigError:
    foreign = next(
        (other for other in ("mcpServers", "servers", "context_servers", "mcp_servers") if other in whole), None
    )
    if foreign is None or foreign == key:
        return _no_entry(name, ())
    said = f"The file lists servers under {foreign}, which {client.title} does not read."
    return ConfigError(said, f"Rename {foreign} to {key}.", "wrong_key")


def _choose(client: Client, file: Path, servers: Mapping[str, Any], name: str | None) -> Found:
    names = list(servers)
    likely = (
        [name] if name else names if len(names) == 1 else [one for one in names if one.startswith(_ALWAYS_OURS)][:1]
    )
    if not likely or likely[0] not in servers:
        raise _no_entry(name, names)
    return Found(client, file, likely[0], servers[likely[0]])


def _no_entry(name: str | None, names: "list[str] | tuple[()]") -> ConfigError:
    said = f"The file has no server named {name or _ALWAYS_OURS}; it has {', '.join(names) or 'none'}."
    return ConfigError(said, "Name one with --name, or add ours with `nudj-mcp config CLIENT --write`.", "no_entry")


def _no_file(said: str, client: Client | None) -> ConfigError:
    project = client is not None and client.places and client.places[0].scope == "project"
    fix = f"`nudj-mcp config {client.name if client else 'CLIENT'} --write` makes one"
    return ConfigError(said, f"{fix}{'; run it in the folder of your project' if project else ''}.", "no_file")
