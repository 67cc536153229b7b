"""Whether a token was called back before its time; when that cannot be known, the answer is no answer."""

import logging
import time
from collections.abc import Callable
from typing import NoReturn, Protocol

import anyio
from pydantic import BaseModel, ConfigDict, ValidationError

from server.identity.format import invalid
from server.net import Send
from server.polled import Polled, Unread
from tools.refusals import Code, Refusal

_LOG = logging.getLogger(__name__)
GRACE_S = 10.0


class Revocations(Protocol):
    """Where revocations come from."""

    async def check(self, token_id: str | None) -> bool:
        """Whether the token was revoked.

        Raises:
            Refusal: verification_unavailable when the source has been silent for more than 10 s; token_invalid for
                a token without an id, which nobody could ever revoke.
        """
        ...

    async def refresh(self) -> bool:
        """Ask the source now; whether an answer came."""
        ...

    async def run(self) -> None:
        """Keep the list fresh until cancelled."""
        ...


class NoRevocations:
    """An explicit choice: tokens end only by expiring, or by the tenant's own 401."""

    async def check(self, _token_id: str | None) -> bool:
        """Never."""
        return False

    async def refresh(self) -> bool:
        """Nothing to ask."""
        return True

    async def run(self) -> None:
        """Nothing to keep fresh."""


class _Revoked(BaseModel):
    model_config = ConfigDict(strict=True)

    jti: str
    exp: int | float


class _Document(BaseModel):
    model_config = ConfigDict(strict=True)

    revoked: list[_Revoked]


class Feed:
    """A JSON document `{"revoked": [{"jti", "exp"}]}` read each second.

    Parameters:
        url: https, or http on this machine.
        clock: monotonic seconds.
        every_s: seconds between reads, > 0.
    """

    def __init__(
        self, url: str, send: Send, *, clock: Callable[[], float] = time.monotonic, every_s: float = 1.0
    ) -> None:
        self._source = Polled(url, send, cap=16_000_000, timeout_s=3.0)
        self._clock = clock
        self._every_s = every_s
        self._ids: frozenset[str] = frozenset()
        self._read_at: float | None = None

    async def check(self, token_id: str | None) -> bool:
        """Whether the id is in the list, by a look into memory."""
        if token_id is None:
            _unrevokable()
        if self._read_at is None or self._clock() - self._read_at > GRACE_S:
            _silent()
        return token_id in self._ids

    async def refresh(self) -> bool:
        """Read the list now; a failure keeps the list there is and lets it age."""
        asked_at = self._clock()
        try:
            body = await self._source.read()
            if body is not None:
                self._ids = frozenset(one.jti for one in _Document.model_validate_json(body).revoked)
        except (Unread, ValidationError) as fault:
            self._source.forget()
            _LOG.warning("revocations could not be read: %s", fault if isinstance(fault, Unread) else "not a list")
            return False
        self._read_at = asked_at
        return True

    async def run(self) -> None:
        """Read the list each second until cancelled."""
        while True:
            await self.refresh()
            await anyio.sleep(self._every_s)


class Store(Protocol):
    """The part of the shared state that knows revocations (server/store.py)."""

    async def revoked(self, token_id: str) -> bool:
        """Whether the id is among the revoked ones; cheap, from memory that is at most a second or two old."""
        ...


class Shared:
    """Revocations in the state that all replicas share.

    Parameters:
        store: asked at each check; it keeps itself fresh.
        down: the exception by which the store says that it has been silent for more than 10 s.
    """

    def __init__(self, store: Store, down: type[Exception]) -> None:
        self._store = store
        self._down = down

    async def check(self, token_id: str | None) -> bool:
        """Whether the store knows the id."""
        if token_id is None:
            _unrevokable()
        try:
            return await self._store.revoked(token_id)
        except self._down:
            _silent()

    async def refresh(self) -> bool:
        """The store refreshes itself."""
        return True

    async def run(self) -> None:
        """The store runs itself."""


def _unrevokable() -> NoReturn:
    raise invalid("no_id", "The token has no id (jti), so it could never be revoked.")


def _silent() -> NoReturn:
    raise Refusal(
        Code.VERIFICATION_UNAVAILABLE, "The list of revoked tokens cannot be read just now, so the call was refused."
    )
