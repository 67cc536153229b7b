"""Verification without a key: the tenant itself says whether the token is good and whose it is.

For a person's own stdio use. The token goes only to a host the operator configured, and nothing the token claims is
used before that host has confirmed it.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace

from server.credentials.parsing import Credentials
from server.http.port import HttpError, HttpResponse, Send
from server.identity.claims import ExpectedClaims, build_principal
from server.identity.principal import Principal
from server.identity.token_format import build_invalid, parse_token
from server.identity.verifier import Locate
from server.tenants.api_contract import read_error
from server.tenants.tenant import Tenant
from tools.refusals import Code, ToolError

_CONFIRMED_S = 2.0
_HELD = 1000
_CAP = 1_000_000

_Key = tuple[str, str, str]


class UpstreamVerifier:
    """Confirms each token by `GET /organisations/{claimed id}` at the tenant, and remembers that for two seconds.

    Parameters:
        clock: seconds since the epoch.
        monotonic: seconds for the age of a confirmation.
    """

    def __init__(
        self,
        send: Send,
        expected: ExpectedClaims,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._expected = replace(expected, kinds=None)  # what a token is for, its own tenant knows best
        self._clock = clock
        self._monotonic = monotonic
        self._confirmed: dict[_Key, float] = {}
        self.ready = True

    async def verify(self, credentials: Credentials, locate: Locate) -> tuple[Principal, Tenant]:
        """The caller, once the tenant has confirmed token and organisation.

        Raises:
            ToolError: token_invalid or token_expired; what `locate` raises; organisation_mismatch; then what the tenant
                says of the token: token_invalid, organisation_mismatch or verification_unavailable.
        """
        token = parse_token(credentials.token.reveal(), types=self._expected.types)
        claimed = build_principal(token, credentials.token.digest, self._expected, self._clock())
        tenant = locate()
        if tenant.organisation not in ("", claimed.organisation):
            raise _build_mismatch()
        key = (credentials.kind, claimed.digest, tenant.api_domain)
        if self._confirmed.get(key, 0.0) <= self._monotonic():
            await self._confirm(credentials, claimed, tenant)
            self._remember(key)
        return claimed, replace(tenant, organisation=claimed.organisation)

    def forget(self, digest: str) -> None:
        """Drop every confirmation of a token at once."""
        for key in [key for key in self._confirmed if key[1] == digest]:
            del self._confirmed[key]

    async def refresh(self) -> bool:
        """Nothing to ask ahead of a token."""
        return True

    async def run(self) -> None:
        """Nothing to keep fresh."""

    def _remember(self, key: _Key) -> None:
        if len(self._confirmed) >= _HELD:
            self._confirmed.clear()
        self._confirmed[key] = self._monotonic() + _CONFIRMED_S

    async def _confirm(self, credentials: Credentials, claimed: Principal, tenant: Tenant) -> None:
        token = credentials.token.reveal()
        own = {"authorization": f"Bearer {token}"} if credentials.kind == "bearer" else {"x-api-token": token}
        url = f"{tenant.api_domain}/organisations/{claimed.organisation}"
        headers = own | {"x-api-domain": tenant.api_domain, "accept": "application/json"}
        try:
            answer = await self._send("GET", url, headers=headers, timeout_s=10.0, cap=_CAP)
        except HttpError:
            raise _build_unavailable() from None
        _judge(answer, claimed.organisation)


def _judge(answer: HttpResponse, organisation: str) -> None:
    if answer.status in (401, 403, 404) and read_error(answer) is None:
        raise _build_unavailable()
    if answer.status == 401:
        raise build_invalid(
            "refused_by_tenant", "The tenant's API does not accept the token: forged, revoked or expired."
        )
    if answer.status in (403, 404):
        raise _build_mismatch()
    if not 200 <= answer.status < 300:
        raise _build_unavailable()
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise _build_unavailable() from None
    named = body.get("id") if isinstance(body, dict) else None
    if not isinstance(named, str):
        raise _build_unavailable()
    if named.lower() != organisation:
        raise _build_mismatch()


def _build_mismatch() -> ToolError:
    return ToolError(Code.ORGANISATION_MISMATCH, "The token belongs to another organisation than the domain.")


def _build_unavailable() -> ToolError:
    return ToolError(
        Code.VERIFICATION_UNAVAILABLE, "The tenant's API could not confirm the token just now, so the call was refused."
    )
