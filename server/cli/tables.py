"""Answers as people read them in a terminal: tables for lists, lines for the rest, nothing that steers the terminal."""

import json
from collections.abc import Iterator, Mapping, Sequence
from shutil import get_terminal_size
from typing import Any

_WIDEST = 40
_COLUMNS = 6


def render(value: Any) -> str:
    """A value of an answer as text.

    Parameters:
        value: any JSON; a list of objects becomes a table, an object with one becomes its other members and a table.
    """
    return "\n".join(_lines(value, ""))


def _lines(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        width = max((len(str(name)) for name in value), default=0)
        for name, inner in value.items():
            if _is_plain(inner):
                yield f"{indent}{name!s:<{width}}  {show(inner)}"
            else:
                yield f"{indent}{name}:"
                yield from _lines(inner, indent + "  ")
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        yield from (f"{indent}{line}" for line in render_table(value))
    elif isinstance(value, list):
        yield from (f"{indent}- {show(one)}" for one in value)
    else:
        yield f"{indent}{show(value)}"


def render_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rows under the names of their plain members, cut to the terminal's width."""
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if _is_column(rows, name)][
        :_COLUMNS
    ]
    cells = [
        columns,
        *([_cut(show(row.get(name)), _WIDEST if name != columns[-1] else 400) for name in columns] for row in rows),
    ]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return [_cut(line, max(40, get_terminal_size().columns - 4)) for line in lines]


def _is_plain(value: Any) -> bool:
    return not isinstance(value, Mapping | list) or not value


def _is_column(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    return any(row.get(name) not in (None, "", [], {}) and _is_plain(row[name]) for row in rows)


def show(value: Any) -> str:
    """One value on one line; signs that would steer the terminal are shown and not obeyed."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
