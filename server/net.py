"""The one way out: HTTP requests to tenants, key sets and feeds, whose cost does not grow with the number of hosts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Fault = Literal["refused", "timeout", "dropped", "too_large", "tls", "protocol"]


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole HTTP answer. Header names are lower case; redirects are answers like any other."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NetError(Exception):
    """No whole answer came.

    Parameters:
        fault: what happened: `refused` (no connection, the request was never sent), `timeout`, `dropped` (closed
            before the whole answer), `too_large` (over the cap), `tls`, `protocol` (not HTTP).
        sent: whether the request may have reached the other side.
    """

    def __init__(self, fault: Fault, *, sent: bool) -> None:
        super().__init__(fault)
        self.fault = fault
        self.sent = sent


class Send(Protocol):
    """One request out. `Net.send` is the real one; a test hands over an ASGI app behind the same port."""

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = {},
        body: bytes | None = None,
        timeout_s: float = 10.0,
        cap: int = 8_000_000,
    ) -> Answered:
        """Send and read the whole answer.

        Parameters:
            timeout_s: seconds for everything, > 0.
            cap: bytes of (decoded) body, > 0.

        Raises:
            NetError: no whole answer came.
        """
        ...
