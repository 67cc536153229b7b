"""The port of the way out: one request, one whole answer, or the one reason why there is none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Fault = Literal[
    "refused",  # no connection to the other side
    "timeout",
    "dropped",  # closed before the whole answer
    "too_large",  # over the cap
    "tls",  # no TLS
    "tls_unverified",  # a certificate that nobody trusted vouches for
    "protocol",  # not HTTP, or a coding that was not asked for
    "proxy",  # the proxy on the way failed or refused
    "busy",  # no free place in our own queue
    "local",  # this process cannot open another connection
]

OWN_FAULTS: frozenset[Fault] = frozenset({"proxy", "busy", "local"})
"""Faults that say nothing about the other side, and must not be held against it."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole HTTP answer. Header names are lower case; redirects are answers like any other."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpError(Exception):
    """No whole answer came.

    Parameters:
        fault: what happened.
        sent: whether the request may have reached the other side; False only when no connection came about.
        why: what was wrong in our words, without a full stop; empty when `fault` says all.
    """

    def __init__(self, fault: Fault, *, sent: bool, why: str = "") -> None:
        super().__init__(f"{fault}: {why}" if why else fault)
        self.fault = fault
        self.sent = sent
        self.why = why


class Send(Protocol):
    """One request out. `OutboundClient.send` is the real one; a test hands over an ASGI app behind the same port."""

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = {},
        body: bytes | None = None,
        timeout_s: float = 10.0,
        cap: int = 8_000_000,
    ) -> HttpResponse:
        """Send and read the whole answer.

        Parameters:
            timeout_s: seconds for everything, > 0.
            cap: bytes of (decoded) body, > 0.

        Raises:
            HttpError: no whole answer came.
        """
        ...


@dataclass(frozen=True, slots=True)
class Route:
    """How one host is reached when not the ordinary way.

    Parameters:
        connect_to: `address:port` to dial; URL, Host header, SNI and pool key stay those of the URL. A host that is
            an IP address is always dialled as it stands.
        trust: PEM text of the certificates that alone may vouch for this host.
    """

    connect_to: str | None = None
    trust: str | None = None


FindRoute = Callable[[str, int], Route | None]
"""From host and port of a URL to its route; asked at each request, so that a reloaded directory takes effect."""

FindProxy = Callable[[str, str, int], str | None]
"""From scheme, host and port of a URL to the URL of the proxy on the way there."""
