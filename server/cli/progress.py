"""A bar for work that takes a while: drawn on a terminal, silent everywhere else."""

import sys
from typing import TextIO

_CLEAR = "\r\033[K"
_WIDTH = 24


class ProgressBar:
    """Progress on one line that is wiped before anything else is printed.

    Parameters:
        total: steps there will be, > 0.
        stream: where to draw; nothing is drawn unless it is a terminal.
    """

    def __init__(self, total: int, stream: TextIO = sys.stdout) -> None:
        self._total = total
        self._done = 0
        self._stream = stream
        self._drawn = stream.isatty()

    def step(self, what: str) -> None:
        """Say what is being done now; the step before is finished."""
        filled = _WIDTH * self._done // self._total
        self._draw(f"[{'█' * filled}{'·' * (_WIDTH - filled)}] {self._done}/{self._total} {what[:40]}")
        self._done += 1

    def wipe(self) -> None:
        """Make room for a line of output."""
        self._draw("")

    def _draw(self, text: str) -> None:
        if self._drawn:
            self._stream.write(_CLEAR + text)
            self._stream.flush()
