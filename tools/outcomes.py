"""What became of writes: made, not made, or unknown; and what a chain of them leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What became of a write, as far as can be known here."""

    MADE = "made"
    NOT_MADE = "not_made"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Partial:
    """What a chain of writes left behind, and the two ways out.

    Parameters:
        completed: the things that exist.
        failed: the step that failed, and why.
        finish, undo: tool calls in order; one that must look first says so.
        unknown: writes that may have been made: what, and the tool that shows whether.
        not_made: writes that were certainly not made, by tool.
    """

    completed: tuple[Mapping[str, Any], ...]
    failed: str
    finish: str
    undo: str
    unknown: tuple[Mapping[str, Any], ...] = ()
    not_made: tuple[str, ...] = ()


def describe_partial(partial: Partial) -> dict[str, Any]:
    """The `partial` member of an error object."""
    return {
        "completed": [dict(one) for one in partial.completed],
        "unknown": [dict(one) for one in partial.unknown],
        "not_made": list(partial.not_made),
        "failed": partial.failed,
        "finish": partial.finish,
        "undo": partial.undo,
    }


def read_partial(said: Mapping[str, Any] | None) -> Partial | None:
    """What `describe_partial` wrote."""
    if said is None:
        return None
    return Partial(
        completed=tuple(said["completed"]),
        failed=said["failed"],
        finish=said["finish"],
        undo=said["undo"],
        unknown=tuple(said["unknown"]),
        not_made=tuple(said["not_made"]),
    )
