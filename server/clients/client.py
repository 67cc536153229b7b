"""What is to be known of an AI client: where it keeps its servers, what it calls them, what it makes of a variable."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from server.clients.formats import Format

Way = Literal["http", "mcp-remote", "stdio"]

TOKEN = "NUDJ_MCP_TOKEN"
DOMAIN = "NUDJ_API_DOMAIN"


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a client looks for its files.

    Parameters:
        system: as `sys.platform`.
        home, folder: the person's, and the project's.
        environment: where the client starts.
    """

    system: str
    home: Path
    folder: Path
    environment: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A file with servers in it.

    Parameters:
        scope: whom it serves: `project`, `user`, or `local` (one person in one project).
        paths: per `sys.platform`, `~` being the home folder; a relative one stands in the project's folder.
        keys: where in it servers are listed; `{folder}` stands for the project's folder.
        moved: a variable that names another folder, and the file's path in that.
        also: another ending that the client takes where the first is not there.
    """

    scope: str
    paths: Mapping[str, str]
    keys: tuple[str, ...]
    moved: tuple[str, str] | None = None
    also: str | None = None

    def locate(self, machine: Machine) -> Path:
        """The file on this machine, there or not."""
        if self.moved is not None and (instead := machine.environment.get(self.moved[0])):
            return Path(instead, self.moved[1])
        name = self.paths.get(machine.system, self.paths["linux"])
        file = machine.home / name[2:] if name.startswith("~/") else machine.folder / name
        other = file if self.also is None else file.with_suffix(self.also)
        return other if other.exists() and not file.exists() else file

    def list_keys(self, machine: Machine) -> tuple[str, ...]:
        """Where in the file, from here."""
        return tuple(key.replace("{folder}", str(machine.folder)) for key in self.keys)


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a file refers to a variable of the environment.

    Parameters:
        form: as it is written, with NAME for the variable.
        pattern: as it is read: the group `name`, and `default` where there is one.
        empty: whether a variable that is not set becomes nothing; otherwise the text stays as it stands.
    """

    form: str
    pattern: re.Pattern[str]
    empty: bool = False

    def refer(self, name: str) -> str:
        """A reference to that variable."""
        return self.form.replace("NAME", name)

    def expand(self, text: str, environment: Mapping[str, str]) -> str:
        """What the client makes of a text."""

        def value(found: re.Match[str]) -> str:
            default = found.groupdict().get("default")
            return environment.get(found["name"]) or (default if default is not None else self._unset(found))

        return self.pattern.sub(value, text)

    def _unset(self, found: re.Match[str]) -> str:
        return "" if self.empty else found[0]


@dataclass(frozen=True, slots=True)
class Members:
    """What the members of one server's entry are called.

    Parameters:
        urls: the member of the URL for each kind of door, `http` and `sse`; none where only commands are started.
        types: the words of `type` for `http`, `sse` and `stdio`, ours first; empty where there is no such member.
        typed: whether an entry with a URL and without a type is skipped.
        command: a command, and whether its arguments stand in the same array.
        token_variable, header_variables: members that name variables instead of holding references to them (Codex).
        passed: the member that lists variables handed to a command or put into headers (Codex, Goose).
        switch: the member that turns an entry off, and its value then.
        fixed: what every entry has besides.
    """

    urls: Mapping[str, str] = field(default_factory=lambda: {"http": "url", "sse": "url"})
    headers: str = "headers"
    types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    typed: bool = False
    command: str = "command"
    joined: bool = False
    args: str = "args"
    env: str = "env"
    token_variable: str | None = None
    header_variables: str | None = None
    passed: str | None = None
    switch: tuple[str, bool] | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Client:
    """How one client is configured.

    Parameters:
        name: the word on our command line.
        title: what its makers call it.
        docs: where its shape is documented.
        format: the kind of its file.
        places: its files, the one we write by default first.
        order: scopes in the order in which the client lets one entry hide another of the same name.
        ways: how it can reach this server, the recommended one first.
        members: what it calls things.
        grammar: how it refers to variables; None when it expands nothing.
        prompts: whether it can ask a person for the token and keep it.
        inherits: whether a command it starts sees the whole environment of the client.
        splits: on which systems it splits the arguments of a command at spaces.
        notes: what to know after the block is written.
    """

    name: str
    title: str
    docs: str
    format: Format
    places: tuple[FilePlace, ...]
    ways: tuple[Way, ...]
    members: Members
    grammar: Grammar | None
    order: tuple[str, ...] = ()
    prompts: bool = False
    inherits: bool = True
    splits: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    @property
    def expands_commands(self) -> bool:
        """Whether what it hands to a command may refer to variables or to what a person was asked for."""
        return (self.grammar is not None or self.prompts) and self.members.passed is None

    def find_place(self, scope: str | None) -> FilePlace | None:
        """The file of that scope; without one, the file written by default."""
        return next((place for place in self.places if scope in (None, place.scope)), None)

    def list_places(self) -> tuple[FilePlace, ...]:
        """Its files in the order in which it looks."""
        return tuple(sorted(self.places, key=lambda place: self.order.index(place.scope) if self.order else 0))
