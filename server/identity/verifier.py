"""From a credential to a Principal, by the operator's keys; what every other way of verifying must also offer."""

import time
from collections.abc import Callable
from typing import Protocol

import anyio

from server.credentials.parsing import Credentials
from server.identity.claims import ExpectedClaims, build_principal
from server.identity.keys import Keys
from server.identity.principal import Principal
from server.identity.revocations import Revocations
from server.identity.token_format import build_invalid, parse_token
from server.identity.verdict_cache import Verdicts
from server.tenants.tenant import Tenant
from tools.refusals import Code, ToolError

Locate = Callable[[], Tenant]


class Verifier(Protocol):
    """Says who is asking, or refuses."""

    async def verify(self, credentials: Credentials, locate: Locate) -> tuple[Principal, Tenant]:
        """The caller and the tenant the caller named; whether they belong together is the next room's question.

        Raises:
            ToolError: token_* or verification_unavailable first, then whatever `locate` raises.
        """
        ...

    @property
    def ready(self) -> bool:
        """Whether a token could be judged now."""
        ...

    def forget(self, digest: str) -> None:
        """Drop the verdict on a token at once: its tenant answered 401."""
        ...

    async def refresh(self) -> bool:
        """Ask every source of trust once; whether all answered. Worth awaiting before a port opens."""
        ...

    async def run(self) -> None:
        """Keep the sources of trust fresh until cancelled."""
        ...


class Identifier(Protocol):
    """Says whose an OAuth token is, or refuses; for which resource it was made is the next room's question."""

    async def identify(self, credentials: Credentials) -> Principal:
        """The caller.

        Raises:
            ToolError: token_* or verification_unavailable.
        """
        ...

    @property
    def ready(self) -> bool:
        """Whether a token could be judged now."""
        ...

    def forget(self, digest: str) -> None:
        """Drop the verdict on a token at once."""
        ...

    async def refresh(self) -> bool:
        """Ask every source of trust once; whether all answered."""
        ...

    async def run(self) -> None:
        """Keep the sources of trust fresh until cancelled."""
        ...


class KeyVerifier:
    """Verifies signatures itself, with published or configured keys.

    Parameters:
        expected: what the operator demands of the claims.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        keys: Keys,
        revocations: Revocations,
        expected: ExpectedClaims,
        *,
        clock: Callable[[], float] = time.time,
        verdicts: Verdicts | None = None,
    ) -> None:
        self._keys = keys
        self._revocations = revocations
        self._expected = expected
        self._clock = clock
        self._verdicts = verdicts or Verdicts()

    @property
    def ready(self) -> bool:
        """Whether there are keys fresh enough to trust, and revocations are known."""
        return self._keys.current is not None and self._revocations.ready

    async def verify(self, credentials: Credentials, locate: Locate) -> tuple[Principal, Tenant]:
        """See `Verifier.verify`."""
        return await self.identify(credentials), locate()

    async def identify(self, credentials: Credentials) -> Principal:
        """Signature and claims once per token, revocation at each call."""
        who = self.get_cached(credentials) or await self._judge(credentials)
        if await self._revocations.check(who):
            self.forget(who.digest)
            raise ToolError(Code.TOKEN_REVOKED, "The token was revoked.")
        return who

    def get_cached(self, credentials: Credentials) -> Principal | None:
        """The verdict reached before, if it still stands; costs a hash and a look-up."""
        return self._verdicts.good(credentials.token.digest, self._keys.current, self._clock())

    def forget(self, digest: str) -> None:
        """Drop the verdict on a token at once."""
        self._verdicts.forget(digest)

    async def _judge(self, credentials: Credentials) -> Principal:
        digest = credentials.token.digest
        token = parse_token(credentials.token.reveal(), types=self._expected.types)
        keys = await self._keys.having(token.key_id)
        if self._verdicts.is_forged(digest, keys, self._clock()):
            raise _build_forged()
        key = keys.find(token)
        if key is None:
            raise build_invalid("key", "No key of the issuer fits the token.")
        if not key.verifies(token):
            self._verdicts.keep_forged(digest, keys, self._clock())
            raise _build_forged()
        who = build_principal(token, digest, self._expected, self._clock())
        self._verdicts.keep(who, keys)
        return who

    async def refresh(self) -> bool:
        """Ask for keys and revocations once."""
        answered = [await self._keys.refresh(), await self._revocations.refresh()]
        return all(answered)

    async def run(self) -> None:
        """Keep keys and revocations fresh until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._keys.run)
            tasks.start_soon(self._revocations.run)


def _build_forged() -> ToolError:
    return build_invalid("signature", "The token's signature is not the issuer's.")
