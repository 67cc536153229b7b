"""The issuer's published keys: fetched ahead of need, kept through an outage, never fetched on a stranger's say-so."""

import logging
import time
from collections.abc import Callable

import anyio

from server.http.polling import PolledDocument, Unread
from server.http.port import Send
from server.identity.keys import KeySet, parse_public_keys
from tools.refusals import Code, ToolError

_LOG = logging.getLogger(__name__)
_UNKNOWN_KEY_S = 60.0
_RETRY_S = 5.0
_CAP = 256_000


class PublishedKeys:
    """The JWK Set at one URL from the settings.

    Parameters:
        url: https, or http on this machine.
        send: the way out.
        clock: monotonic seconds.
        every_s: seconds between background reads, 1-60; a shorter max-age of the server's is followed down to 5.
        stale_s: seconds the last keys stay in force while the server cannot be read; default 24 hours.
    """

    def __init__(
        self,
        url: str,
        send: Send,
        *,
        clock: Callable[[], float] = time.monotonic,
        every_s: float = 30.0,
        stale_s: float = 86_400.0,
    ) -> None:
        self.reads = 0
        self._source = PolledDocument(url, send, cap=_CAP, timeout_s=10.0)
        self._clock = clock
        self._every_s = every_s
        self._stale_s = stale_s
        self._keys: KeySet | None = None
        self._read_at = 0.0
        self._failed = True
        self._asked_at: float | None = None
        self._asking = anyio.Lock()

    @property
    def current(self) -> KeySet | None:
        """The keys in force; None before the first answer and after too long an outage."""
        return self._keys if self._clock() - self._read_at <= self._stale_s else None

    async def having(self, key_id: str | None) -> KeySet:
        """The keys in force; an id that is not among them costs at most one fetch a minute, whoever asks.

        Raises:
            ToolError: verification_unavailable.
        """
        keys = self.current
        if keys is None or not keys.knows(key_id):
            await self._ask_for(key_id)
            keys = self.current
        if keys is None or (self._failed and not keys.knows(key_id)):
            raise ToolError(
                Code.VERIFICATION_UNAVAILABLE,
                "The issuer's keys cannot be read just now, so the token could not be checked.",
            )
        return keys

    async def _ask_for(self, key_id: str | None) -> None:
        async with self._asking:
            keys = self.current
            if keys is not None and keys.knows(key_id):
                return
            now = self._clock()
            if self._asked_at is None or now - self._asked_at >= _UNKNOWN_KEY_S:
                self._asked_at = now
                await self.refresh()

    async def refresh(self) -> bool:
        """Read the keys now; whether an answer came. A failure keeps the keys there are."""
        self.reads += 1
        try:
            document = await self._source.read()
            if document is not None:
                self._keys = parse_public_keys(document)
                for fault in self._keys.faults:
                    _LOG.warning("a key of the issuer is left out: %s", fault)
        except (Unread, ValueError) as fault:
            self._source.forget()
            self._failed = True
            _LOG.warning("the issuer's keys could not be read: %s", fault)
            return False
        self._read_at = self._clock()
        self._failed = False
        return True

    async def run(self) -> None:
        """Read the keys again and again until cancelled."""
        while True:
            answered = await self.refresh()
            await anyio.sleep(self._pause_s() if answered else min(_RETRY_S, self._every_s))

    def _pause_s(self) -> float:
        age = self._source.max_age_s
        return self._every_s if age is None else min(self._every_s, max(5.0, float(age)))
