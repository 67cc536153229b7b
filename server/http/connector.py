"""Finds or makes a connection, and tells why there is none in the words of the port."""

import errno
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection

from server.http.connections import BoundedConnection
from server.http.idle import Idle
from server.http.port import Fault, HttpError

_USED_UP = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class BoundedConnector(aiohttp.TCPConnector):
    """Makes such connections; whatever keeps one from coming about is told before anything was sent.

    Parameters:
        idle: where unused connections are counted.
        more: what aiohttp's TCPConnector takes.
    """

    def __init__(self, idle: Idle, **more: Any) -> None:
        super().__init__(limit=0, dns_cache_max_size=20_000, **more)
        self._factory = partial(BoundedConnection, loop=self._loop, idle=idle)  # type: ignore[assignment]  # a subclass

    async def take(self, target: ClientRequest, patience_s: float) -> Connection:
        """A connection to use alone: an unused one, or else a new one.

        Parameters:
            target: any request to the host; only where it leads and by which proxy is looked at.
            patience_s: seconds for a new one.

        Raises:
            HttpError: none came about, so nothing was sent.
        """
        with _unsent(target):
            return await self.connect(target, [], _connect_within(patience_s))


@lru_cache(256)
def _connect_within(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=max(seconds, 0.001))


@contextmanager
def _unsent(request: ClientRequest) -> Iterator[None]:
    try:
        yield
    except aiohttp.ClientConnectorCertificateError as error:
        raise HttpError("tls_unverified", sent=False, why=_why(error.certificate_error)) from None
    except aiohttp.ClientConnectorSSLError as error:
        raise HttpError("tls", sent=False, why=_why(error.os_error)) from None
    except HttpError as error:  # of the connection to a proxy: nothing of ours was sent
        raise HttpError("proxy", sent=False, why=error.why) from None
    except TimeoutError:
        raise HttpError("timeout", sent=False, why="no connection in time") from None
    except (aiohttp.ClientError, OSError) as error:
        raise HttpError(_fault(request, error), sent=False, why=_why(error)) from None


def _fault(request: ClientRequest, error: Exception) -> Fault:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if getattr(cause, "errno", None) in _USED_UP or _is_used_up():
        return "local"
    of_proxy = aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError | aiohttp.ServerDisconnectedError
    return "proxy" if request.proxy is not None and isinstance(error, of_proxy) else "refused"


def _is_used_up() -> bool:
    """Whether no descriptor is left; a look-up that fails for this reason does not say so."""
    try:
        os.close(os.dup(2))
    except OSError as error:
        return error.errno in _USED_UP
    return False


def _why(error: BaseException) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return error.verify_message
        case ssl.SSLError():
            return str(error.reason or "TLS failed").replace("_", " ").lower()
        case aiohttp.ClientHttpProxyError():
            return f"the proxy answered with status {error.status}"
        case aiohttp.ClientConnectorDNSError():
            return "its name does not resolve"
        case aiohttp.ClientConnectorError():
            return (error.os_error.strerror or "").lower()
        case _:
            return ""
