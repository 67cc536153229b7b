"""Settings as command-line flags: every one of them, named and described as the record names and describes them."""

import argparse
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from server.settings import Settings, load_settings, name_variable


def add_flags(parser: argparse.ArgumentParser, *, without: frozenset[str] = frozenset()) -> None:
    """Give the parser a flag for every setting. Secrets have none: a command line can be seen by other users."""
    parser.usage = f"{parser.prog} [options]"  # some forty flags follow: a list of them twice helps nobody
    groups: dict[str, argparse._ArgumentGroup] = {}
    for name, field in Settings.model_fields.items():
        if name in without or "Secret" in str(field.annotation):
            continue
        title = _name_group(name)
        if title not in groups:
            groups[title] = parser.add_argument_group(f"settings: {title} (each also the variable in brackets)")
        default = f"; default: {_show(field.default)}" if field.default not in (None, (), "") else ""
        groups[title].add_argument(
            f"--{name.replace('_', '-')}",
            dest=name,
            metavar=_name_value(name, field.annotation),
            help=f"{field.description} [{name_variable(name)}{default}]".replace("%", "%%"),
        )


_GROUPS = {
    "auth": "who is who",
    "revocations": "who is who",
    "roles": "who is who",
    "tenants": "tenants and the way to them",
    "upstream": "tenants and the way to them",
    "http": "tenants and the way to them",
    "tenant": "budgets",
    "caller": "budgets",
    "redis": "shared state",
    "confirm": "shared state",
    "audit": "what is told",
    "metrics": "what is told",
    "traces": "what is told",
    "log": "what is told",
    "api": "the one client of stdio",
    "agent": "the one client of stdio",
    "toolsets": "the one client of stdio",
}
"""The heading of a setting by the first word of its name; whatever stands nowhere here is about listening."""


def _name_group(name: str) -> str:
    return _GROUPS.get(name.partition("_")[0], "listening and answering")


def _name_value(name: str, annotation: Any) -> str:
    """What stands for the value: the words it may be, or its kind."""
    choices = [word for one in (annotation, *get_args(annotation)) for word in _list_choices(one)]
    if choices:
        return "{" + ",".join(choices) + "}"
    text = str(annotation)
    kinds = {
        "bool": "true|false",
        "Path": "FILE",
        "int": "N",
        "float": "SECONDS" if name.endswith("_s") else "NUMBER",
        "tuple": "LIST",
    }
    return next((word for kind, word in kinds.items() if kind in text), "VALUE")


def _list_choices(annotation: Any) -> list[str]:
    return [str(word) for word in get_args(annotation)] if get_origin(annotation) is Literal else []


def _show(default: Any) -> str:
    if isinstance(default, tuple):
        return ",".join(default)
    return (
        str(default).lower()
        if isinstance(default, bool)
        else f"{default:g}"
        if isinstance(default, float)
        else str(default)
    )


def read_settings(
    arguments: argparse.Namespace, fixed: Mapping[str, Any] = {}, defaults: Mapping[str, Any] = {}
) -> Settings:
    """Settings from flags and environment.

    Parameters:
        fixed: what the command itself settles.
        defaults: what this command assumes where neither flag nor environment says anything.

    Raises:
        SettingsError: with every mistake there is.
    """
    said = {name: value for name, value in vars(arguments).items() if name in Settings.model_fields}
    return load_settings({**said, **fixed}, defaults=defaults)
