"""Content codings (RFC 9110 section 8.4.1), undone within bounds: a few bytes may claim to be a great many."""

import re
import zlib

ACCEPTED = "gzip, deflate"
_MOST_MEMBERS = 1_000
_NAME = re.compile(r"[a-z0-9-]{1,16}")
_NAMES = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}


class TooLarge(ValueError):
    """The body comes to more than the cap."""


def decode(body: bytes, coding: str, cap: int) -> bytes:
    """The body without its content coding.

    Parameters:
        coding: the Content-Encoding field as it came; lists and any case.
        cap: bytes that may come out, > 0.

    Raises:
        TooLarge: more would come out.
        ValueError: another coding than gzip, deflate and identity, several of them, or not what it claims to be; the
            message says which.
    """
    names = [name for each in coding.split(",") if (name := each.strip().lower()) not in ("", "identity")]
    if not names or not body:
        return _bounded(body, cap)
    if len(names) > 1 or names[0] not in _NAMES:
        named = " ".join(name for name in names[:3] if _NAME.fullmatch(name)) or "unknown"
        raise ValueError(f"the content coding {named} was not asked for")
    try:
        return _inflate(body, cap) if _NAMES[names[0]] == "deflate" else _gunzip(body, cap)
    except zlib.error:
        raise ValueError(f"the body is not the {names[0]} it claims to be") from None


def _inflate(body: bytes, cap: int) -> bytes:
    """Deflate data in its zlib wrapping, or bare, as some servers have always sent it."""
    wrapped = len(body) > 1 and body[0] & 15 == zlib.DEFLATED and (body[0] << 8 | body[1]) % 31 == 0
    return _member(body, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS, cap)[0]


def _gunzip(body: bytes, cap: int) -> bytes:
    """One gzip member after another (RFC 1952 section 2.2)."""
    out: list[bytes] = []
    left = cap
    for _ in range(_MOST_MEMBERS):
        member, body = _member(body, zlib.MAX_WBITS | 16, left)
        out.append(member)
        left -= len(member)
        if not body:
            return b"".join(out)
    raise ValueError(f"the body is gzip in more than {_MOST_MEMBERS} members")


def _member(body: bytes, bits: int, cap: int) -> tuple[bytes, bytes]:
    """What one compressed stream comes to, and what follows it."""
    stream = zlib.decompressobj(bits)
    out = _bounded(stream.decompress(body, cap + 1), cap)
    if not stream.eof:
        raise zlib.error("cut short")
    return out, stream.unused_data


def _bounded(body: bytes, cap: int) -> bytes:
    if len(body) > cap:
        raise TooLarge("more than the cap")
    return body
