"""A part that does not work as it should: said once when it begins, once when it ends, and to who asks meanwhile."""

import logging
from collections.abc import Callable

_LOG = logging.getLogger(__name__)


class Trouble:
    """What is wrong with one part, from the first failure to the next success.

    Parameters:
        part: how the log names it.
        clock: seconds, monotonic.

    `reason` is a word of a closed list while it lasts, and None otherwise.
    """

    def __init__(self, part: str, clock: Callable[[], float]) -> None:
        self._part = part
        self._clock = clock
        self._since = 0.0
        self.reason: str | None = None

    def begin(self, reason: str) -> None:
        """It does not work; said when this is new, or is another reason than before."""
        if reason == self.reason:
            return
        if self.reason is None:
            self._since = self._clock()
        self.reason = reason
        _LOG.warning("%s: %s", self._part, reason)

    def end(self) -> None:
        """It works."""
        if self.reason is not None:
            _LOG.warning("%s: works again after %.1f s of %s", self._part, self._clock() - self._since, self.reason)
            self.reason = None
