"""Which redirect URIs a client may have, and whether one that was asked for is one of them."""

import re
from urllib.parse import SplitResult, urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_CLEAN = re.compile(r"[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]{1,2000}")
"""Visible ASCII without what no URI has: quotes, angle brackets, backslash, caret, backtick, braces, bar."""


def is_allowed(uri: str) -> bool:
    """Whether a client may register this URI: https anywhere, http on this machine alone (OAuth 2.1 section 8.4.2).

    An allow-list, because lists of forbidden schemes have been passed by spellings nobody had thought of.
    """
    parts = _split(uri)
    if parts is None or "#" in uri or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def is_loopback(uri: str) -> bool:
    """Whether the browser will be sent to a program on the person's own machine."""
    parts = _split(uri)
    return parts is not None and parts.scheme == "http" and parts.hostname in LOOPBACK


def find_match(asked: str, registered: tuple[str, ...]) -> bool:
    """Whether a URI is one of the registered, character by character; on loopback the port is free (RFC 8252, 7.3).

    The port is free even where the registered URI names one: some clients register a fixed port and listen elsewhere.
    """
    if asked in registered:
        return is_allowed(asked)
    return is_allowed(asked) and is_loopback(asked) and _without_port(asked) in map(_without_port, registered)


def read_host(uri: str) -> str:
    """Host and port, as a person is shown where the answer goes."""
    return urlsplit(uri).netloc


def _split(uri: str) -> SplitResult | None:
    if _CLEAN.fullmatch(uri) is None or not uri.startswith(("https://", "http://")):
        return None
    try:
        parts = urlsplit(uri)
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError:
        return None
    return parts if parts.hostname and port_is_sound else None


def _without_port(uri: str) -> str | None:
    parts = _split(uri)
    if parts is None or parts.scheme != "http" or parts.hostname not in LOOPBACK:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts._replace(netloc=host).geturl()
