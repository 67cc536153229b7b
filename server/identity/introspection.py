"""Verification of opaque tokens: the authorization server is asked what one is worth (RFC 7662)."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from server.credentials.oauth_client import OAuthClient
from server.credentials.parsing import Credentials
from server.credentials.strict_json import strict_json
from server.http.polling import check_url
from server.http.port import HttpError, Send
from server.identity.claims import ExpectedClaims, build_principal
from server.identity.principal import Principal
from server.identity.revocations import Revocations
from server.identity.token_format import UnverifiedToken, build_invalid
from tools.refusals import Code, ToolError

_LOG = logging.getLogger(__name__)
_CAP, _TIMEOUT_S = 100_000, 5.0
_AT_ONCE = 32
"""Look-ups under way; more wait for nobody and are refused."""

_STRANGERS_A_SECOND = 20
"""Look-ups a second for tokens never found active, so that random strings cannot flood the authorization server."""

_INACTIVE_S = 5.0
_HELD = 50_000


class IntrospectionVerifier:
    """Asks about each token, and remembers the answer for some seconds.

    Parameters:
        url: the endpoint, from settings alone.
        keep_s: 0-30, how long an answer holds; also how late a revocation is noticed.
        expected: what the operator demands of the answer, which has the members of a token's claims.
    """

    def __init__(
        self,
        url: str,
        send: Send,
        client: OAuthClient,
        expected: ExpectedClaims,
        revocations: Revocations,
        *,
        keep_s: float = 5.0,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = check_url(url)
        self._send = send
        self._client = client
        self._expected = expected
        self._revocations = revocations
        self._keep_s = keep_s
        self._clock = clock
        self._monotonic = monotonic
        self._active: OrderedDict[str, tuple[Principal, float]] = OrderedDict()
        self._inactive: OrderedDict[str, float] = OrderedDict()
        self._asking: dict[str, asyncio.Task[Principal]] = {}
        self._credit, self._counted_at = float(_STRANGERS_A_SECOND), monotonic()
        self.lookups = 0

    @property
    def ready(self) -> bool:
        """Whether revocations are known; whether the endpoint answers shows when it is asked."""
        return self._revocations.ready

    async def identify(self, credentials: Credentials) -> Principal:
        """See `Identifier.identify`."""
        digest = credentials.token.digest
        who = self._find(digest)
        if who is None:
            who = await self._ask_once(digest, credentials)
        if await self._revocations.check(who):
            self.forget(digest)
            raise ToolError(Code.TOKEN_REVOKED, "The token was revoked.")
        return who

    def forget(self, digest: str) -> None:
        """Ask again about a token."""
        self._active.pop(digest, None)

    async def refresh(self) -> bool:
        """Ask for revocations once."""
        return await self._revocations.refresh()

    async def run(self) -> None:
        """Keep revocations fresh until cancelled."""
        await self._revocations.run()

    def _find(self, digest: str) -> Principal | None:
        known = self._active.get(digest)
        if known is not None and known[0].expires_at <= self._clock():
            del self._active[digest]
            raise ToolError(Code.TOKEN_EXPIRED, "The token's lifetime is over.")
        if known is not None and known[1] > self._monotonic():
            return known[0]
        if self._inactive.get(digest, 0.0) > self._monotonic():
            raise _build_inactive()
        return None

    async def _ask_once(self, digest: str, credentials: Credentials) -> Principal:
        """One look-up for all who ask about a token at the same moment; it goes on when one of them leaves."""
        task = self._asking.get(digest)
        if task is None:
            if len(self._asking) >= _AT_ONCE or not (digest in self._active or self._spend()):
                raise _build_unavailable("Too many unknown tokens are being looked up.")
            task = self._asking[digest] = asyncio.create_task(self._look_up(digest, credentials))
            task.add_done_callback(lambda done: self._note_end(digest, done))
        return await asyncio.shield(task)

    def _note_end(self, digest: str, task: "asyncio.Task[Principal]") -> None:
        self._asking.pop(digest, None)
        if not task.cancelled():
            task.exception()

    def _spend(self) -> bool:
        now = self._monotonic()
        gained = (now - self._counted_at) * _STRANGERS_A_SECOND
        self._credit, self._counted_at = min(float(_STRANGERS_A_SECOND), self._credit + gained), now
        if self._credit < 1:
            return False
        self._credit -= 1
        return True

    async def _look_up(self, digest: str, credentials: Credentials) -> Principal:
        said = await self._ask(credentials)
        if said.get("active") is not True:
            if said.get("active") is not False:
                raise _build_unavailable("The authorization server's answer about the token is not one.")
            self._active.pop(digest, None)
            _keep(self._inactive, digest, self._monotonic() + _INACTIVE_S)
            raise _build_inactive()
        if str(said.get("token_type", "bearer")).lower() != "bearer":
            raise build_invalid("claims", "The token is not a bearer token.")
        issuer = self._expected.issuer
        claims = {"iss": issuer, **said}  # in an answer the issuer may be left out: it came from there
        who = build_principal(UnverifiedToken("", "", None, claims), digest, self._expected, self._clock())
        _keep(self._active, digest, (who, self._monotonic() + self._keep_s))
        return who

    async def _ask(self, credentials: Credentials) -> Mapping[str, Any]:
        self.lookups += 1
        try:
            headers = self._client.build_headers()
        except ValueError as fault:
            _LOG.error("introspection: %s", fault)
            raise _build_unavailable("This server cannot ask about the token.") from None
        form = urlencode({"token": credentials.token.reveal(), "token_type_hint": "access_token"}).encode()
        try:
            answer = await self._send("POST", self._url, headers=headers, body=form, timeout_s=_TIMEOUT_S, cap=_CAP)
            said = strict_json(answer.body) if answer.status == 200 else None
        except (HttpError, ValueError):
            said = None
        if not isinstance(said, dict):
            raise _build_unavailable("The authorization server could not say what the token is worth.")
        return said


def _keep(book: OrderedDict[str, Any], digest: str, value: Any) -> None:
    book[digest] = value
    book.move_to_end(digest)
    if len(book) > _HELD:
        book.popitem(last=False)


def _build_inactive() -> ToolError:
    return build_invalid("inactive", "The authorization server says that the token is not active.", "Sign in again.")


def _build_unavailable(message: str) -> ToolError:
    return ToolError(Code.VERIFICATION_UNAVAILABLE, message, retry_after_s=5)
