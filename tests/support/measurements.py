"""What tests measured, told at the end of the run, whichever of its processes measured it."""

from collections.abc import Callable, Iterator

import pytest

Figure = Callable[[str], None]
"""Tells one figure, or a table of them."""

NAME = "figure"


def told(terminal: pytest.TerminalReporter) -> Iterator[str]:
    """All the figures of a run, in the order of its tests' ends."""
    for outcome in ("passed", "failed"):
        for report in terminal.getreports(outcome):
            if report.when == "call":
                yield from (str(value) for name, value in report.user_properties if name == NAME)
