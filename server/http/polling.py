"""A document at a URL of the operator's, read again and again: key sets, revocations and the tenants' feed."""

import hashlib
import ipaddress
import re
from urllib.parse import urlsplit

from server.http.port import HttpError, Send

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=(\d{1,9})(?:$|[,\s])")


class Unread(Exception):
    """The document could not be had; the message says why in our words."""


def is_loopback(host: str) -> bool:
    """Whether a host can only be this machine: localhost, *.localhost (RFC 6761), 127/8, ::1."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_url(url: str) -> str:
    """Return the URL if a document of trust may come from it: https, or http on this machine only.

    Raises:
        ValueError: it may not.
    """
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None or not parts.hostname or parts.fragment:
        raise ValueError("a URL with a host, without credentials and without a fragment is needed")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("https is needed (http only on this machine)")
    return url


class PolledDocument:
    """One document, its ETag and how long its server says it keeps."""

    def __init__(self, url: str, send: Send, *, cap: int, timeout_s: float) -> None:
        self.url = check_url(url)
        self.max_age_s: int | None = None
        self._send = send
        self._cap = cap
        self._timeout_s = timeout_s
        self._etag: str | None = None
        self._digest: bytes | None = None

    async def read(self) -> bytes | None:
        """The document, or None when it is still the one read before.

        Raises:
            Unread: no answer, or another status than 200 and 304 (redirects are not followed).
        """
        headers = {"accept": "application/json"} | ({} if self._etag is None else {"if-none-match": self._etag})
        try:
            answer = await self._send("GET", self.url, headers=headers, timeout_s=self._timeout_s, cap=self._cap)
        except HttpError as fault:
            raise Unread(f"no answer ({fault.fault})") from fault
        if answer.status not in (200, 304) or (answer.status == 304 and self._etag is None):
            raise Unread(f"status {answer.status}")
        age = _MAX_AGE.search(answer.headers.get("cache-control", "").lower())
        self.max_age_s = None if age is None else int(age[1])
        if answer.status == 304:
            return None
        known, self._digest = self._digest, hashlib.sha256(answer.body).digest()
        self._etag = answer.headers.get("etag")
        return answer.body if self._digest != known else None

    def forget(self) -> None:
        """Read the whole document next time: what came could not be used."""
        self._etag = self._digest = None
