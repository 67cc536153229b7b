"""Whether a token was called back before its time; when that cannot be known, the answer is no answer."""

import logging
import time
from collections.abc import Callable
from typing import NoReturn, Protocol

import anyio
from pydantic import BaseModel, ConfigDict, ValidationError

from server.http.polling import PolledDocument, Unread
from server.http.port import Send
from server.identity.principal import Principal
from server.identity.token_format import build_invalid
from tools.refusals import Code, ToolError

_LOG = logging.getLogger(__name__)
GRACE_S = 10.0
_KEPT_S = 10 * 365 * 86_400
"""Whoever revokes a token names it without its expiry; no token lives as long as this."""


class Revocations(Protocol):
    """Where revocations come from."""

    @property
    def ready(self) -> bool:
        """Whether a check could be answered now."""
        ...

    async def check(self, who: Principal) -> bool:
        """Whether the caller's token was revoked.

        Raises:
            ToolError: verification_unavailable when the source has been silent for more than 10 s; token_invalid for
                a token without an id, which nobody could ever revoke.
        """
        ...

    async def refresh(self) -> bool:
        """Ask the source now; whether an answer came."""
        ...

    async def run(self) -> None:
        """Keep the list fresh until cancelled."""
        ...


class _Revoked(BaseModel):
    model_config = ConfigDict(strict=True)

    jti: str
    exp: int | float


class _FeedDocument(BaseModel):
    model_config = ConfigDict(strict=True)

    revoked: list[_Revoked]


class RevocationFeed:
    """A JSON document `{"revoked": [{"jti", "exp"}]}` read each second.

    Parameters:
        url: https, or http on this machine.
        clock: monotonic seconds.
        every_s: seconds between reads, > 0.
    """

    def __init__(
        self, url: str, send: Send, *, clock: Callable[[], float] = time.monotonic, every_s: float = 1.0
    ) -> None:
        self._source = PolledDocument(url, send, cap=16_000_000, timeout_s=3.0)
        self._clock = clock
        self._every_s = every_s
        self._ids: frozenset[str] = frozenset()
        self._read_at: float | None = None

    @property
    def ready(self) -> bool:
        """Whether the list is at most 10 s old."""
        return self._read_at is not None and self._clock() - self._read_at <= GRACE_S

    async def check(self, who: Principal) -> bool:
        """Whether the id is in the list, by a look into memory; the operator's list says ids without organisations."""
        if who.token_id is None:
            _build_unrevokable()
        if not self.ready:
            _build_silent()
        return who.token_id in self._ids

    async def refresh(self) -> bool:
        """Read the list now; a failure keeps the list there is and lets it age."""
        asked_at = self._clock()
        try:
            body = await self._source.read()
            if body is not None:
                self._ids = frozenset(one.jti for one in _FeedDocument.model_validate_json(body).revoked)
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


class RevocationStore(Protocol):
    """The part of the shared state that knows revocations (server/state/store.py)."""

    async def revoke(self, token_id: str, expires_at: int) -> None:
        """Have the id known as revoked by all replicas within 2 seconds."""
        ...

    async def is_revoked(self, token_id: str) -> bool:
        """Whether the id is among the revoked ones; cheap, from memory that is at most a second or two old."""
        ...


class SharedRevocations:
    """Revocations in the state that all replicas share, each under the organisation whose token it was.

    Parameters:
        store: asked at each check; it keeps itself fresh.
        down: the exception by which the store says that it has been silent for more than 10 s.
        needs_ids: whether a token without an id is refused; False where tokens may end by expiring alone.
    """

    def __init__(self, store: RevocationStore, down: type[Exception], *, needs_ids: bool = True) -> None:
        self._store = store
        self._down = down
        self._needs_ids = needs_ids
        self.ready = True

    async def tell(self, organisation: str, token_id: str) -> None:
        """A tenant revoked a token of its own; no replica may accept it from now on."""
        await self._store.revoke(_build_key(organisation, token_id), int(time.time()) + _KEPT_S)

    async def check(self, who: Principal) -> bool:
        """Whether the store knows the id as one of this organisation's."""
        if who.token_id is None:
            if self._needs_ids:
                _build_unrevokable()
            return False
        try:
            return await self._store.is_revoked(_build_key(who.organisation, who.token_id))
        except self._down:
            _build_silent()

    async def refresh(self) -> bool:
        """Ask the store now; whether it answered, or did a moment ago."""
        try:
            await self._store.is_revoked("")
        except self._down:
            self.ready = False
        else:
            self.ready = True
        return self.ready

    async def run(self) -> None:
        """Notice each second whether the store answers, also while no call asks."""
        while True:
            await self.refresh()
            await anyio.sleep(1.0)


class CombinedRevocations:
    """Two sources: revoked by either is revoked, and both have to be heard."""

    def __init__(self, one: Revocations, other: Revocations) -> None:
        self._all = (one, other)

    @property
    def ready(self) -> bool:
        """Whether both are."""
        return all(source.ready for source in self._all)

    async def check(self, who: Principal) -> bool:
        """Whether either knows the id; raises as each of them does."""
        found = [await source.check(who) for source in self._all]
        return any(found)

    async def refresh(self) -> bool:
        """Ask both."""
        answered = [await source.refresh() for source in self._all]
        return all(answered)

    async def run(self) -> None:
        """Keep both fresh until cancelled."""
        async with anyio.create_task_group() as tasks:
            for source in self._all:
                tasks.start_soon(source.run)


class FollowedRevocations:
    """Revocations that somebody else keeps fresh already."""

    def __init__(self, revocations: Revocations) -> None:
        self._revocations = revocations

    @property
    def ready(self) -> bool:
        """Whether they are."""
        return self._revocations.ready

    async def check(self, who: Principal) -> bool:
        """Whether they know the id."""
        return await self._revocations.check(who)

    async def refresh(self) -> bool:
        """Whether they are fresh, as far as is known."""
        return self.ready

    async def run(self) -> None:
        """Nothing to do here."""


def _build_key(organisation: str, token_id: str) -> str:
    return f"{organisation}:{token_id}"


def _build_unrevokable() -> NoReturn:
    raise build_invalid("no_id", "The token has no id (jti), so it could never be revoked.")


def _build_silent() -> NoReturn:
    raise ToolError(
        Code.VERIFICATION_UNAVAILABLE, "The list of revoked tokens cannot be read just now, so the call was refused."
    )
