"""A URL taken apart into where it leads and what is asked for there, and the request that asks."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit


class Origin(NamedTuple):
    """Where a URL leads, and the key of its connections; `authority` is host and port as written."""

    scheme: str
    host: str
    port: int
    authority: str


@lru_cache(20_000)
def _build_origin(scheme: str, authority: str) -> Origin:
    found = urlsplit(f"{scheme}://{authority}")
    if scheme not in ("http", "https") or not found.hostname or "@" in authority:
        raise ValueError("not the URL of a web host")
    return Origin(scheme, found.hostname, found.port or (443 if scheme == "https" else 80), authority)


def split_url(url: str) -> tuple[Origin, str]:
    """The origin and the target of a URL, both as written.

    Raises:
        ValueError: the URL does not lead to a web host.
    """
    scheme, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    return _build_origin(scheme, authority), f"/{path}"


def write_request(method: str, origin: Origin, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """The request as bytes (RFC 9112); no text in it can begin a line of its own.

    Raises:
        ValueError: a part of it would.
    """
    lines = [f"{method} {target} HTTP/1.1", f"Host: {origin.authority}", "accept-encoding: gzip"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None or method != "GET":
        lines.append(f"content-length: {len(body or b'')}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    ends = len(lines) + 1
    if head.count("\r") != ends or head.count("\n") != ends or "\0" in head or " " in target:
        raise ValueError("a request must not contain control characters")
    return head.encode() + (body or b"")
