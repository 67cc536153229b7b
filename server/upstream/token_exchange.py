"""A token for the tenant's API in exchange for the client's (RFC 8693), which was made for this server alone."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from server.credentials.oauth_client import OAuthClient
from server.credentials.parsing import Credentials
from server.credentials.secret import Secret
from server.credentials.strict_json import strict_json
from server.http.polling import check_url
from server.http.port import HttpError, HttpResponse, Send
from server.identity.principal import Principal
from server.identity.token_format import parse_token
from server.tenants.tenant import Tenant
from server.upstream.circuit_breaker import CircuitBreaker
from tools.refusals import Code, ToolError

_LOG = logging.getLogger(__name__)
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
MARGIN_S = 30
"""An exchanged token is given up this much before it ends, so that none ends on its way."""

DEAD_S = 60
"""How long a token is taken for dead whose refusal does not say that it is."""

_CAP, _TIMEOUT_S, _HELD, _LOG_EVERY_S = 100_000, 10.0, 10_000, 60.0
_KNOWN_SCOPES = frozenset({"nudj:read", "nudj:write"})

_Key = tuple[str, str, str]
Bury = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class ExchangeEndpoint:
    """Where tokens are exchanged, and for what.

    Parameters:
        url: the token endpoint, from settings alone.
        audience: what to ask for; None asks for the tenant's API domain as `resource`.
        organisation_claim: the name under which an exchanged JWT says its organisation, besides the product's own.
    """

    url: str
    client: OAuthClient
    audience: str | None = None
    organisation_claim: str = "organisationId"


class TokenExchange:
    """Exchanges a client's token once and uses the other while it lasts; kept in memory only.

    Parameters:
        bury: told the digest of a client's token that is worth nothing any more, and until when (epoch seconds).
        clock: seconds since the epoch.
    """

    def __init__(
        self, endpoint: ExchangeEndpoint, send: Send, bury: Bury, *, clock: Callable[[], float] = time.time
    ) -> None:
        check_url(endpoint.url)
        self._endpoint = endpoint
        self._send = send
        self._bury = bury
        self._clock = clock
        self._breaker = CircuitBreaker()
        self._kept: OrderedDict[_Key, tuple[Secret, float]] = OrderedDict()
        self._asking: dict[_Key, asyncio.Task[Secret]] = {}
        self._logged_at = 0.0
        self.exchanges = self.hits = 0

    def check(self, _principal: Principal, _tenant: Tenant, /) -> None:
        """Everybody can be exchanged for, until the authorization server says no."""

    async def build_headers(
        self, principal: Principal, tenant: Tenant, credentials: Credentials, /
    ) -> Mapping[str, str]:
        """See `UpstreamCredential.build_headers`.

        Raises:
            ToolError: token_revoked, upstream_forbidden, upstream_unavailable, upstream_invalid or internal.
        """
        key = self._build_key(principal, tenant)
        known = self._kept.get(key)
        if known is not None and known[1] > self._clock():
            self.hits += 1
            self._kept.move_to_end(key)
            return {"authorization": f"Bearer {known[0].reveal()}"}
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._exchange(key, principal, tenant, credentials))
            task.add_done_callback(lambda done: self._note_end(key, done))
        token = await asyncio.shield(task)
        return {"authorization": f"Bearer {token.reveal()}"}

    def note_refusal(self, principal: Principal, tenant: Tenant, again: bool, /) -> bool:
        """Drop the token the tenant refused; a new one may do, once."""
        self._kept.pop(self._build_key(principal, tenant), None)
        if again:
            self._bury(principal.digest, self._clock() + DEAD_S)
        return not again

    def forget(self, digest: str) -> None:
        """Drop whatever came out of a client's token."""
        for key in [key for key in self._kept if key[0] == digest]:
            del self._kept[key]

    def _build_key(self, principal: Principal, tenant: Tenant) -> _Key:
        return principal.digest, tenant.api_domain, " ".join(sorted((principal.scopes or frozenset()) & _KNOWN_SCOPES))

    def _note_end(self, key: _Key, task: "asyncio.Task[Secret]") -> None:
        self._asking.pop(key, None)
        if not task.cancelled():
            task.exception()

    async def _exchange(self, key: _Key, principal: Principal, tenant: Tenant, credentials: Credentials) -> Secret:
        answer = await self._ask(tenant, key[2], credentials)
        said = _read(answer)
        if answer.status != 200:
            raise self._explain(answer.status, said.get("error"), principal)
        token = self._check(said, principal)
        lasts = said.get("expires_in")
        if isinstance(lasts, int) and not isinstance(lasts, bool):
            until = min(principal.expires_at, self._clock() + lasts, _read_end(token)) - MARGIN_S
            if until > self._clock():
                self._kept[key] = token, until
                if len(self._kept) > _HELD:
                    self._kept.popitem(last=False)
        return token

    async def _ask(self, tenant: Tenant, scope: str, credentials: Credentials) -> HttpResponse:
        endpoint = self._endpoint
        fields = {
            "grant_type": GRANT_TYPE,
            "subject_token": credentials.token.reveal(),
            "subject_token_type": ACCESS_TOKEN,
            "requested_token_type": ACCESS_TOKEN,
        }
        fields |= {"resource": tenant.api_domain} if endpoint.audience is None else {"audience": endpoint.audience}
        fields |= {"scope": scope} if scope else {}
        wait = self._breaker.wait(endpoint.url)
        if wait > 0:
            raise _build_unavailable(round(wait, 1))
        try:
            headers = endpoint.client.build_headers()
        except ValueError as fault:
            raise self._blame_us(str(fault)) from None
        self.exchanges += 1
        body = urlencode(fields).encode()
        try:
            answer = await self._send("POST", endpoint.url, headers=headers, body=body, timeout_s=_TIMEOUT_S, cap=_CAP)
        except HttpError:
            self._breaker.record_failure(endpoint.url)
            raise _build_unavailable() from None
        if answer.status == 429 or answer.status >= 500:
            self._breaker.record_failure(endpoint.url)
            raise _build_unavailable()
        self._breaker.record_answer(endpoint.url)
        return answer

    def _check(self, said: Mapping[str, Any], principal: Principal) -> Secret:
        """The token of an answer, if it is an access token for the same person in the same organisation."""
        token = said.get("access_token")
        fits = said.get("issued_token_type") == ACCESS_TOKEN and str(said.get("token_type", "")).lower() == "bearer"
        if not fits or not isinstance(token, str) or not 0 < len(token) <= 8192 or not token.isascii():
            raise _build_invalid("The authorization server exchanged the token for something that is no access token.")
        if not token.isprintable() or " " in token:
            raise _build_invalid("The authorization server's token has a form that no header can carry.")
        claims = _read_claims(token)
        if claims is not None:
            names = {"organisationId", self._endpoint.organisation_claim} & claims.keys()
            homes = {str(claims[name]).lower() for name in names}
            if claims.get("sub") != principal.subject or homes != {principal.organisation}:
                _LOG.error("the exchanged token is for another subject or organisation than the one it was asked for")
                raise _build_invalid(
                    "The authorization server exchanged the token for somebody else's; it was not used."
                )
        return Secret(token)

    def _explain(self, status: int, error: object, principal: Principal) -> ToolError:
        match error:
            case "invalid_grant" | "invalid_request":
                lasting = principal.expires_at if error == "invalid_grant" else self._clock() + DEAD_S
                self._bury(principal.digest, lasting)
                return ToolError(
                    Code.TOKEN_REVOKED,
                    "The authorization server no longer exchanges this token: the connection was ended.",
                    "Sign in again; the client asks for it at its next request.",
                )
            case "invalid_target":
                return ToolError(
                    Code.UPSTREAM_FORBIDDEN,
                    "The authorization server gives no token for this organisation's API.",
                    "Ask the operator to check NUDJ_MCP_OAUTH_EXCHANGE_AUDIENCE.",
                )
            case "invalid_scope":
                return ToolError(Code.UPSTREAM_FORBIDDEN, "The authorization server gives less than the token says.")
        return self._blame_us(f"status {status}, {error if isinstance(error, str) and error.isidentifier() else '?'}")

    def _blame_us(self, why: str) -> ToolError:
        now = self._clock()
        if now - self._logged_at >= _LOG_EVERY_S:
            self._logged_at = now
            _LOG.error("tokens cannot be exchanged: %s", why)
        return ToolError(
            Code.INTERNAL,
            "This server could not exchange the token: its own access to the authorization server does not work.",
            "Ask the operator to look into the server's log.",
        )


def _read(answer: HttpResponse) -> Mapping[str, Any]:
    try:
        said = strict_json(answer.body)
    except ValueError:
        said = None
    if isinstance(said, dict):
        return said
    if answer.status == 200:
        raise _build_invalid("The authorization server's answer to the exchange is not JSON.")
    return {}


def _read_claims(token: str) -> Mapping[str, Any] | None:
    """What an exchanged JWT says; None for an opaque token, which only its own API can read."""
    if token.count(".") != 2:
        return None
    try:
        return parse_token(token).claims
    except ToolError:
        raise _build_invalid("The authorization server exchanged the token for one that cannot be read.") from None


def _read_end(token: Secret) -> float:
    end = (_read_claims(token.reveal()) or {}).get("exp")
    return float(end) if isinstance(end, int | float) else float("inf")


def _build_invalid(message: str) -> ToolError:
    return ToolError(Code.UPSTREAM_INVALID, message, "Ask the operator to look into the authorization server.")


def _build_unavailable(retry_after_s: float | None = None) -> ToolError:
    return ToolError(
        Code.UPSTREAM_UNAVAILABLE,
        "The authorization server cannot exchange the token just now; nothing was sent to the organisation's API.",
        retry_after_s=retry_after_s,
    )
