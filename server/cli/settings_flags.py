"""Settings as command-line flags: every one of them, named and described as the record names and describes them."""

import argparse
from collections.abc import Mapping
from typing import Any

from server.settings import Settings, load_settings, name_variable


def add_flags(parser: argparse.ArgumentParser, *, without: frozenset[str] = frozenset()) -> None:
    """Give the parser a flag for every setting. Secrets have none: a command line can be seen by other users."""
    group = parser.add_argument_group("settings (each also an environment variable, see docs/configuration.md)")
    for name, field in Settings.model_fields.items():
        if name in without or "Secret" in str(field.annotation):
            continue
        group.add_argument(
            f"--{name.replace('_', '-')}",
            dest=name,
            metavar="VALUE",
            help=f"{field.description} [{name_variable(name)}]".replace("%", "%%"),
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
