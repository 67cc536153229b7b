"""What mcp-remote makes of its command line: the most common bridge, and the one whose headers are most often lost."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from server.doctor.results import blame_config

_VARIABLE = re.compile(r"\$\{([^}]+)\}")

_PIN = re.compile(r"mcp-remote(?:@(\d+)\.(\d+)\.(\d+))?.*")
_SAFE = (0, 1, 16)  # before it, a hostile server could run commands here: CVE-2025-6514


def parse_command(words: Sequence[str], environment: Mapping[str, str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The URL it will use, and the headers it will send.

    Parameters:
        words: its command line, from its own name on.
        environment: what it is started with, from which it expands variables in headers.

    Raises:
        Broken: a header was lost on the way, or the release is one nobody should run.
    """
    pin = _PIN.fullmatch(words[0])
    if pin is not None and pin[1] is not None and tuple(int(part) for part in pin.groups()) < _SAFE:
        raise blame_config(
            "mcp_remote_unsafe",
            f"{words[0]} has a known hole through which a server can run commands on this machine.",
            "Pin the release that `nudj-mcp config` prints.",
        )
    url, headers, rest = "", [], list(words[1:])
    while rest:
        word = rest.pop(0)
        if word == "--header":
            headers.append(_read_header(rest.pop(0) if rest else "", environment))
        elif word == "--header-file":
            headers += _read_file(rest.pop(0) if rest else "")
        elif word in ("--transport", "--resource", "--host") and rest:
            rest.pop(0)
        elif not word.startswith("-") and not url:
            url = word
        elif not word.startswith("-") and not word.isdigit():
            raise blame_config(
                "split_arguments",
                "An argument of mcp-remote stands alone: a header was split at its space.",
                "Write Authorization:${AUTH_HEADER} without a space, and put Bearer <token> into the env block.",
            )
    return url, tuple(headers)


def _read_header(word: str, environment: Mapping[str, str]) -> tuple[str, str]:
    name, colon, value = word.partition(":")
    if not colon:
        raise blame_config("no_colon", "A --header of mcp-remote has no colon.", "Write Name:value.")
    return name, _VARIABLE.sub(lambda found: environment.get(found[1], found[0]), value).lstrip()


def _read_file(name: str) -> list[tuple[str, str]]:
    file = Path(name).expanduser()
    if not file.is_file():
        raise blame_config("no_header_file", f"There is no file {name}.", "Write the Authorization line into it.")
    lines = (line for line in file.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#"))
    return [_read_header(line, {}) for line in lines]
