"""The files clients keep: read as the client reads them, and changed in one place while comments and order stay."""

import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import tomlkit
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from tomlkit.exceptions import TOMLKitError

from server.clients import jsonc
from server.clients.faults import ConfigError

Keys = Sequence[str]


class Format(ABC):
    """One kind of file."""

    @abstractmethod
    def read(self, text: str) -> dict[str, Any]:
        """What the client finds in it; empty for an empty file.

        Raises:
            ConfigError: the client would find nothing.
        """

    @abstractmethod
    def put(self, text: str, keys: Keys, value: Any) -> str:
        """The file with this value at that place.

        Raises:
            ConfigError: the file is not of this kind, or something else stands on the way.
        """

    @abstractmethod
    def drop(self, text: str, keys: Keys) -> str:
        """The file without what stands at that place."""

    @abstractmethod
    def show(self, document: Mapping[str, Any]) -> str:
        """A whole file that holds nothing else."""


class Json(Format):
    """JSON, with comments where the client reads them."""

    def __init__(self, *, comments: bool) -> None:
        self.comments = comments

    def read(self, text: str) -> dict[str, Any]:
        """See Format."""
        if not text.strip("\ufeff \t\r\n"):
            return {}
        try:
            whole = jsonc.read(text, comments=self.comments)
        except jsonc.JsoncError as fault:
            raise ConfigError(
                f"The file is not the JSON this client reads: {fault.said} at line {fault.line}.",
                "Correct it; `nudj-mcp config` prints a block.",
                "not_json",
            ) from None
        return _as_object(whole)

    def put(self, text: str, keys: Keys, value: Any) -> str:
        """See Format."""
        self.read(text)
        try:
            return jsonc.put(text, keys, value)
        except jsonc.JsoncError as fault:
            raise _something_else(keys, f"line {fault.line}") from None

    def drop(self, text: str, keys: Keys) -> str:
        """See Format."""
        self.read(text)
        return jsonc.drop(text, keys)

    def append(self, text: str, keys: Keys, item: Any) -> str:
        """The file with one more element in the array at that place."""
        return jsonc.put(text, (*keys, -1), item)

    def drop_item(self, text: str, keys: Keys, place: int) -> str:
        """The file without one element of the array at that place."""
        return jsonc.drop(text, (*keys, place))

    def show(self, document: Mapping[str, Any]) -> str:
        """See Format."""
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


class Toml(Format):
    """TOML, kept by tomlkit."""

    def read(self, text: str) -> dict[str, Any]:
        """See Format."""
        return self._parse(text).unwrap()

    def put(self, text: str, keys: Keys, value: Any) -> str:
        """See Format."""
        whole = self._parse(text)
        _put(whole, keys, value, tomlkit.table)
        return tomlkit.dumps(whole)

    def drop(self, text: str, keys: Keys) -> str:
        """See Format."""
        whole = self._parse(text)
        _drop(whole, keys)
        return tomlkit.dumps(whole)

    def show(self, document: Mapping[str, Any]) -> str:
        """See Format."""
        return tomlkit.dumps(document)

    def _parse(self, text: str) -> tomlkit.TOMLDocument:
        try:
            return tomlkit.parse(text)
        except TOMLKitError as fault:
            raise ConfigError(f"The file is not TOML: {fault}.", "Correct it first.", "not_toml") from None


class Yaml(Format):
    """YAML, kept by ruamel.yaml."""

    def read(self, text: str) -> dict[str, Any]:
        """See Format."""
        try:
            return _as_object(YAML(typ="safe", pure=True).load(text) or {})
        except YAMLError as fault:
            raise ConfigError(
                "The file is not YAML.", f"Correct it first ({_first_line(fault)}).", "not_yaml"
            ) from None

    def put(self, text: str, keys: Keys, value: Any) -> str:
        """See Format."""
        self.read(text)
        whole = self._round_trip().load(text) or {}
        _put(whole, keys, value, dict)
        return self.show(whole)

    def drop(self, text: str, keys: Keys) -> str:
        """See Format."""
        self.read(text)
        whole = self._round_trip().load(text) or {}
        _drop(whole, keys)
        return self.show(whole)

    def show(self, document: Mapping[str, Any]) -> str:
        """See Format."""
        written = io.StringIO()
        self._round_trip().dump(document, written)
        return written.getvalue()

    def _round_trip(self) -> YAML:
        keeper = YAML()
        keeper.preserve_quotes = True
        keeper.width = 4096
        return keeper


def _as_object(whole: Any) -> dict[str, Any]:
    if not isinstance(whole, dict):
        raise ConfigError("The file does not hold an object.", "Correct it first.", "not_an_object")
    return whole


def _first_line(fault: Exception) -> str:
    return str(fault).splitlines()[0][:120]


def _something_else(keys: Keys, where: str) -> ConfigError:
    said = f"What stands at {'.'.join(keys[:-1])} ({where}) is not what the client documents."
    return ConfigError(said, "Correct it first.", "not_documented")


def _put(whole: Any, keys: Keys, value: Any, make: Any) -> None:
    for key in keys[:-1]:
        if key not in whole:
            whole[key] = make(is_super_table=True) if make is tomlkit.table else make()
        whole = whole[key]
        if not isinstance(whole, MutableMapping):
            raise _something_else(keys, key)
    whole[keys[-1]] = value


def _drop(whole: Any, keys: Keys) -> None:
    for key in keys[:-1]:
        whole = whole.get(key) if isinstance(whole, MutableMapping) else None
        if not isinstance(whole, MutableMapping):
            return
    whole.pop(keys[-1], None)
