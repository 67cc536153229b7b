"""A budget of repeats for each tenant, so that repeating reads cannot add to a flood."""

from collections import OrderedDict


class RetryBudget:
    """How often reads may be repeated: a share of the requests of each tenant, so that retries cannot add to a flood.

    Parameters:
        share: repeats earned by one request.
        most: repeats saved up at most; what a tenant not seen before starts with.
        size: tenants remembered; the least recent goes first.
    """

    def __init__(self, *, share: float = 0.1, most: float = 10.0, size: int = 10_000) -> None:
        self._saved: OrderedDict[str, float] = OrderedDict()
        self._share = share
        self._most = most
        self._size = size

    def earn(self, host: str) -> None:
        """A request goes out for the first time."""
        self._saved[host] = min(self._saved.pop(host, self._most) + self._share, self._most)
        if len(self._saved) > self._size:
            self._saved.popitem(last=False)

    def spend(self, host: str) -> bool:
        """Whether one more repeat is in the budget; takes it if so."""
        saved = self._saved.get(host, 0.0)
        if saved < 1.0:
            return False
        self._saved[host] = saved - 1.0
        return True
