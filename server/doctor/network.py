"""Getting as far as the server's port: the URL, the name, the connection and its certificate."""

import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import anyio
import anyio.abc
from anyio.abc import SocketAttribute
from anyio.streams.tls import TLSStream

from server.clients.faults import ConfigError
from server.clients.target import check_url
from server.doctor.results import Broken, Kind, blame_config
from server.http.polling import is_loopback

_PATIENCE_S = 10

_CERTIFICATE: Mapping[int, tuple[str, str, str]] = {
    10: ("certificate_expired", "The server's certificate has expired.", "Tell the operator; no setting here helps."),
    18: ("self_signed", "The server's certificate vouches for itself.", "For your own server: --trust its-ca.pem."),
    19: ("self_signed", "The server's certificate chain ends in one that vouches for itself.", "--trust its-ca.pem."),
    20: (
        "unknown_authority",
        "Nobody this machine trusts vouches for the server; a company's proxy that looks into TLS does the same.",
        "Name the company's CA file in SSL_CERT_FILE (clients: NODE_EXTRA_CA_CERTS); for your own server: --trust.",
    ),
    62: ("other_host", "The server's certificate is for another host.", "Correct the host in the URL."),
}


def parse_address(url: str) -> SplitResult:
    """The parts of a URL that can be the server's.

    Raises:
        Broken: it cannot, or would send the token in the clear.
    """
    try:
        return check_url(url)
    except ConfigError as fault:
        raise blame_config(fault.reason, fault.said, fault.fix) from None


async def look_up(host: str) -> str:
    """An address of the host.

    Raises:
        Broken: nobody knows it.
    """
    try:
        found = await anyio.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        said = f"No address is known for {host}."
        raise Broken(Kind.NETWORK, "dns", said, "Check its spelling, your connection and your VPN.") from None
    return str(found[0][4][0])


async def connect_to_proxy(proxy: str) -> str:
    """Which proxy stands between this machine and the server, and that it takes connections.

    Raises:
        Broken: it takes none.
    """
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    host, port = parts.hostname or "", parts.port or 80
    try:
        with anyio.fail_after(_PATIENCE_S):
            async with await anyio.connect_tcp(host, port):
                return f"through the proxy {host} port {port}"
    except (OSError, TimeoutError):
        said = f"The proxy {host} port {port}, which this machine's environment names, takes no connection."
        fix = "Correct HTTPS_PROXY, or name the server's host in NO_PROXY."
        raise Broken(Kind.NETWORK, "proxy_unreachable", said, fix) from None


async def connect(parts: SplitResult, trust: Path | None) -> str:
    """What kind of connection was made.

    Raises:
        Broken: none was.
    """
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        with anyio.fail_after(_PATIENCE_S):
            async with await anyio.connect_tcp(host, port) as plain:
                note = await _compare_address(plain, host)
                if not secure:
                    return f"port {port} is open{note}"
                context = ssl.create_default_context(cafile=trust)
                await TLSStream.wrap(plain, hostname=host, ssl_context=context, standard_compatible=False)
                return f"port {port} is open, its certificate good{note}"
    except TimeoutError:
        said = f"Nothing answers at {host} port {port} within {_PATIENCE_S} s."
        raise Broken(Kind.NETWORK, "timeout", said, "Look for a firewall or VPN in the way.") from None
    except ssl.SSLError as error:
        raise _shaky(error, port) from None
    except (OSError, anyio.BrokenResourceError, anyio.EndOfStream):
        said = f"{host} takes no connection at port {port}."
        raise Broken(Kind.NETWORK, "refused", said, "Start the server, or correct the port in the URL.") from None


async def _compare_address(connected: anyio.abc.SocketStream, host: str) -> str:
    """A note when another than the host's first address answered: clients that do not race them wait for the first."""
    first = await look_up(host)
    answered = str(connected.extra(SocketAttribute.remote_address)[0])  # noqa: S610 - anyio's, not a database's
    return (
        ""
        if answered == first or is_loopback(host)
        else f"; only at {answered}: the first address, {first}, does not answer"
    )


def _shaky(error: ssl.SSLError, port: int) -> Broken:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason, said, fix = _CERTIFICATE.get(
            error.verify_code, ("certificate", "The server's certificate is not good.", "Tell the operator.")
        )
        return Broken(Kind.TLS, reason, said, fix)
    said = f"Port {port} does not speak TLS: it may be a local server that speaks plain http."
    return Broken(Kind.TLS, "https_not_http", said, "For a server on this machine, write http:// in the URL.")
