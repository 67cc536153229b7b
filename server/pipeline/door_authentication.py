"""Who asks at the OAuth door: a token made for exactly this resource, in the organisation chosen when signing in."""

import time
from collections.abc import Callable
from typing import Protocol

from server.credentials.parsing import Credentials, PresentedCredentials, find_bearer
from server.identity.dead_tokens import DeadTokens
from server.identity.principal import Principal
from server.identity.token_format import build_invalid
from server.identity.verifier import Identifier
from server.tenants.tenant import Tenant
from tools.refusals import Code, ToolError

WRITE = "nudj:write"
"""The scope without which an OAuth token reads and changes nothing."""


class FindTenant(Protocol):
    """The tenant directory, as far as the OAuth door needs it."""

    def find_of(self, organisation: str, presented: PresentedCredentials) -> Tenant:
        """The tenant of a token's organisation; raises domain_* or tenant_unknown."""
        ...


class DoorAuthenticator:
    """Judges a request to the OAuth door: token, resource, then tenant.

    Parameters:
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        identifier: Identifier,
        directory: FindTenant,
        dead: DeadTokens,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._identifier = identifier
        self._directory = directory
        self._dead = dead
        self._clock = clock

    async def admit(self, presented: PresentedCredentials) -> tuple[Credentials, Principal, Tenant]:
        """The caller and the tenant of the caller's token; whether they belong together is the next question.

        Raises:
            ToolError: credentials_*, token_* or verification_unavailable; then domain_* or tenant_unknown.
        """
        credentials = find_bearer(presented)
        if self._dead.contains(credentials.token.digest, self._clock()):
            raise ToolError(Code.TOKEN_REVOKED, "The connection was ended.", "Sign in again.")
        principal = await self._identifier.identify(credentials)
        if presented.door is None or presented.door not in principal.audiences:
            raise build_invalid("audience", "The token was made for another resource.", "Sign in again at this URL.")
        return credentials, principal, self._directory.find_of(principal.organisation, presented)
