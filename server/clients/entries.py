"""What a client makes of an entry of its file: expanded, checked and handed on as that client does it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.clients.client import TOKEN, Client, Machine
from server.clients.faults import ConfigError

_ASKED = re.compile(r"\$\{input:[^}]*\}")
_LEFT = re.compile(r"\$\{[^}]*\}|\{env:[^}]*\}|\$[A-Z][A-Z0-9_]*|%[A-Z][A-Z0-9_]*%")
"""Whatever looks like a variable, in any client's spelling."""

_BASIC = ("HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "LANG", "TMPDIR", "APPDATA", "USERPROFILE", "SYSTEMROOT")
"""What a client that does not hand on its environment still gives to a command."""

_URLS = ("url", "serverUrl", "httpUrl", "uri")


@dataclass(frozen=True, slots=True)
class Reached:
    """A server reached by URL, and the headers as the client will send them."""

    url: str
    kind: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Started:
    """A server the client starts, and the whole environment it is given."""

    words: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)


def read_entry(client: Client, block: Any, machine: Machine) -> Reached | Started:
    """What the client does with an entry.

    Raises:
        ConfigError: it skips the entry, or could not tell what to do with it.
    """
    if not isinstance(block, Mapping):
        raise ConfigError("The entry is not an object.", "`nudj-mcp config` prints one.", "not_an_object")
    members = client.members
    if members.switch is not None and block.get(members.switch[0]) is members.switch[1]:
        raise ConfigError(
            f"The entry is switched off ({members.switch[0]}).", "Switch it on in the client.", "switched_off"
        )
    kind = _read_kind(client, block)
    return _read_started(client, block, machine) if kind == "stdio" else _read_reached(client, block, machine, kind)


def _read_kind(client: Client, block: Mapping[str, Any]) -> str:
    members = client.members
    named = [member for member in dict.fromkeys(members.urls.values()) if member in block]
    if members.types and "type" in block:
        return _read_type(client, block["type"])
    if named and members.typed:
        raise ConfigError(
            f"The entry has a {named[0]} but no type, so {client.title} skips it.",
            f'Add "type": "{members.types["http"][0]}".',
            "type_missing",
        )
    if named:
        return next(kind for kind, member in members.urls.items() if member == named[0])
    if members.command in block:
        return "stdio"
    foreign = next((member for member in _URLS if member in block), None)
    if foreign is None:
        raise _mistyped(client, members.command, "is missing")
    if not members.urls:
        said = f"{client.title} starts commands only; it skips an entry with a {foreign}."
        raise ConfigError(said, f"`nudj-mcp config {client.name}` prints one that works.", "url_not_read")
    own = next(iter(members.urls.values()))
    said = f"{client.title} names the address {own}; this entry names it {foreign}."
    raise ConfigError(said, f"Rename {foreign} to {own}.", "foreign_member")


def _read_type(client: Client, word: Any) -> str:
    for kind, words in client.members.types.items():
        if word in words:
            return kind
    known = ", ".join(one for words in client.members.types.values() for one in words)
    said = f"{client.title} knows no way to this server of the type {str(word)[:20]!r}."
    raise ConfigError(said, f'Write "type": one of {known}.', "type_unknown")


def _read_reached(client: Client, block: Mapping[str, Any], machine: Machine, kind: str) -> Reached:
    members = client.members
    around = _see_variables(client, block, machine)
    url = _expand(client, _read_text(client, block, members.urls.get(kind, "url"), required=True), around)
    headers = {
        name: _expand(client, value, around) for name, value in _read_texts(client, block, members.headers).items()
    }
    if members.token_variable is not None:
        headers |= _read_named(client, block, machine)
    if kind == "sse" and members.types.get("sse") == ("sse",) and url.rstrip("/").endswith("/mcp"):
        raise ConfigError(
            "The entry says sse, but its URL ends in /mcp, which does not speak SSE.",
            'Write "type": "http".',
            "type_for_path",
        )
    check_expanded(client, [("the URL", url)], machine)
    return Reached(url, kind, tuple(headers.items()))


def _read_named(client: Client, block: Mapping[str, Any], machine: Machine) -> dict[str, str]:
    """Headers whose values stand in variables that the entry names (Codex)."""
    members = client.members
    headers = {}
    if (variable := block.get(str(members.token_variable))) is not None:
        if str(variable) not in machine.environment:
            raise _unset(client, str(variable))
        headers["Authorization"] = f"Bearer {machine.environment[str(variable)]}"
    for name, variable in _read_texts(client, block, str(members.header_variables)).items():
        if variable in machine.environment:
            headers[name] = machine.environment[variable]
    return headers


def _read_started(client: Client, block: Mapping[str, Any], machine: Machine) -> Started:
    members = client.members
    around = _see_variables(client, block, machine)
    first = block.get(members.command)
    if members.joined:
        words = _read_list(client, block, members.command, required=True)
    else:
        words = [_read_text(client, block, members.command, required=True), *_read_list(client, block, members.args)]
    if not words or first is None:
        raise _mistyped(client, members.command, "is missing")
    own = _read_texts(client, block, members.env)
    # A bridge expands what the client left, from the entry's own variables; so those stay for it.
    kept = {name: f"${{{name}}}" for name in own}
    shown = [_expand(client, word, around if client.name != "mcp-remote" else {**around, **kept}) for word in words]
    if machine.system in client.splits:
        shown = [part for word in shown for part in word.split(" ")]
    expands = (client.grammar is not None and members.passed is None) or client.prompts
    given = {name: _expand(client, value, around) if expands else value for name, value in own.items()}
    passed = _read_list(client, block, members.passed) if members.passed is not None else []
    inherited = (
        machine.environment
        if client.inherits
        else {name: value for name, value in machine.environment.items() if name in (*_BASIC, *passed)}
    )
    return Started(tuple(shown), {**inherited, **given})


def _see_variables(client: Client, block: Mapping[str, Any], machine: Machine) -> Mapping[str, str]:
    """The variables that references of this entry can mean."""
    members = client.members
    if members.passed is None or client.grammar is None:
        return machine.environment
    passed = [name for name in _read_list(client, block, members.passed) if name in machine.environment]
    return {**{name: machine.environment[name] for name in passed}, **_read_texts(client, block, members.env)}


def _expand(client: Client, text: str, environment: Mapping[str, str]) -> str:
    if client.prompts and _ASKED.search(text):
        if TOKEN not in environment:
            raise ConfigError(
                "The client asks a person for the token.", f"Set {TOKEN} to the token for this check.", "prompted"
            )
        text = _ASKED.sub(lambda _: environment[TOKEN], text)
    return text if client.grammar is None else client.grammar.expand(text, environment)


def check_expanded(client: Client, values: Iterable[tuple[str, str]], machine: Machine) -> None:
    """Make sure that nothing in values that matter still looks like a variable.

    Parameters:
        values: what each is, in words, and the value as the client sends it.

    Raises:
        ConfigError: one does; the text says why the client left it.
    """
    for what, value in values:
        found = _LEFT.search(value)
        if found is None:
            continue
        own = None if client.grammar is None else client.grammar.pattern.fullmatch(found[0])
        if own is not None and not machine.environment.get(own["name"]):
            raise _unset(client, own["name"], found[0])
        raise _left(client, what, found[0])


def _unset(client: Client, name: str, shown: str | None = None) -> ConfigError:
    sent = "" if shown is None else f", so {shown} is sent as it stands"
    said = f"{name} is not set where {client.title} starts{sent}."
    return ConfigError(said, f"Set {name} in the environment of the client, then restart it.", "unexpanded_variable")


def _left(client: Client, what: str, shown: str) -> ConfigError:
    name = re.sub(r"^[^A-Za-z_]*(?:env:|input:)?|\W.*$", "", shown)
    if client.grammar is not None:
        said = f"{client.title} does not know {shown} for a variable, so it is sent as it stands in {what}."
        return ConfigError(said, f"Write {client.grammar.refer(name or TOKEN)}.", "unexpanded_variable")
    said = f"{client.title} expands no variables, so {shown} is sent as it stands in {what}."
    fix = f"Keep the token apart: `nudj-mcp login`, then `nudj-mcp config {client.name} --profile NAME --write`."
    return ConfigError(said, fix, "unexpanded_variable")


def _read_text(client: Client, block: Mapping[str, Any], member: str, *, required: bool = False) -> str:
    value = block.get(member)
    if not isinstance(value, str):
        raise _mistyped(client, member, "is missing" if value is None and required else "is not a text")
    return value


def _read_list(client: Client, block: Mapping[str, Any], member: str, *, required: bool = False) -> list[str]:
    value = block.get(member)
    if value is None and not required:
        return []
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(one, str) for one in value):
        raise _mistyped(client, member, "is missing" if value is None else "is not a list of texts")
    return list(value)


def _read_texts(client: Client, block: Mapping[str, Any], member: str) -> dict[str, str]:
    value = block.get(member)
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(one, str) for one in value.values()):
        raise _mistyped(client, member, "is not an object of texts")
    return {str(name): one for name, one in value.items()}


def _mistyped(client: Client, member: str, what: str) -> ConfigError:
    said = f"The member {member} of the entry {what}, so {client.title} skips it."
    return ConfigError(said, f"`nudj-mcp config {client.name}` prints an entry that works.", "wrong_member")
