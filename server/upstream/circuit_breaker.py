"""Stops asking a host that keeps failing, and asks again with one call at a time until it answers."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Trouble:
    failures: int = 0
    shut_until: float = 0.0


class CircuitBreaker:
    """One circuit per host; a host that answers costs no memory.

    Parameters:
        failures: failures in a row that open the circuit, > 0.
        rest_s: seconds an open circuit rests before one call may try.
        size: hosts in trouble remembered at once; the longest forgotten goes first.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        *,
        failures: int = 5,
        rest_s: float = 5.0,
        size: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures = failures
        self._rest_s = rest_s
        self._size = size
        self._clock = clock
        self._troubled: OrderedDict[str, _Trouble] = OrderedDict()

    def wait(self, host: str) -> float:
        """Seconds until the host may be asked; 0 lets this call go.

        Once the rest is over the first call goes as the probe and the others rest again, so a probe that never
        reports back delays the next one but cannot keep the circuit shut.
        """
        trouble = self._troubled.get(host)
        if trouble is None or trouble.failures < self._failures:
            return 0.0
        now = self._clock()
        if trouble.shut_until > now:
            return trouble.shut_until - now
        trouble.shut_until = now + self._rest_s
        return 0.0

    def record_answer(self, host: str) -> None:
        """The host gave an answer: its circuit closes."""
        self._troubled.pop(host, None)

    def record_failure(self, host: str) -> None:
        """The host gave none, or said that it cannot."""
        trouble = self._troubled.setdefault(host, _Trouble())
        self._troubled.move_to_end(host)
        trouble.failures += 1
        if trouble.failures >= self._failures:
            trouble.shut_until = self._clock() + self._rest_s
        if len(self._troubled) > self._size:
            self._troubled.popitem(last=False)

    @property
    def open_circuits(self) -> int:
        """How many hosts are not asked at present."""
        now = self._clock()
        return sum(trouble.shut_until > now for trouble in self._troubled.values())
