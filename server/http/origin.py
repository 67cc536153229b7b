"""A URL taken apart into where it leads and what is asked for there, and the request that asks (RFC 9112)."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from yarl import URL

from server.http.codings import ACCEPTED

_NOT_IN_A_URL = re.compile(r"[^\x21-\x7e]")


class Origin(NamedTuple):
    """Where a URL leads, and the key of its connections; `authority` is host and port as written."""

    scheme: str
    authority: str
    host: str
    port: int


@lru_cache(20_000)
def _build_origin(scheme: str, authority: str) -> Origin:
    found = URL(f"{scheme}://{authority}/", encoded=True)
    if scheme not in ("http", "https") or not found.raw_host or "@" in authority or not found.port:
        raise ValueError("the URL does not lead to a web host")
    return Origin(scheme, authority, found.raw_host, found.port)


def split_url(url: str) -> tuple[Origin, str]:
    """The origin and the target of a URL, both as written.

    Raises:
        ValueError: the URL does not lead to a web host.
    """
    scheme, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    return _build_origin(scheme, authority), f"/{path}"


def write_request(method: str, origin: Origin, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """The request as bytes; no text in it can begin a line of its own.

    Raises:
        ValueError: a part of it would.
    """
    lines = [f"{method} {target} HTTP/1.1", f"Host: {origin.authority}", f"accept-encoding: {ACCEPTED}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None or method != "GET":
        lines.append(f"content-length: {len(body or b'')}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    ends = len(lines) + 1
    if head.count("\r") != ends or head.count("\n") != ends or "\0" in head or _NOT_IN_A_URL.search(target):
        raise ValueError("a request must not contain control characters")
    return head.encode() + (body or b"")
