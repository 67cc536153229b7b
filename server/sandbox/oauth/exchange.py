"""What the MCP server alone may ask: a token for the Admin API in place of a client's, and what a token is worth."""

from collections.abc import Mapping
from typing import Any

from server.sandbox.oauth.errors import OAuthError
from server.sandbox.oauth.issuance import Issuance, narrow_scope
from server.sandbox.oauth.records import OAuthRecords, RegisteredClient
from server.sandbox.tokens import Order, Tokens

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
LIFE_S = 300
"""Of an exchanged token at most: it is asked for again while its subject lives."""


class ExchangeService:
    """RFC 8693 for one delegate, and RFC 7662.

    Parameters:
        audience: what the Admin API demands of a token.
        api_domains: the API's URL by organisation id, which may stand for the audience.
    """

    def __init__(
        self, issuance: Issuance, records: OAuthRecords, tokens: Tokens, audience: str, api_domains: Mapping[str, str]
    ) -> None:
        self._issuance = issuance
        self._records = records
        self._tokens = tokens
        self._audience = audience
        self._api_domains = api_domains

    def exchange(self, client: RegisteredClient, fields: Mapping[str, str]) -> dict[str, Any]:
        """A token for the same person in the same organisation, for the Admin API, that ends no later than its subject.

        Raises:
            OAuthError: invalid_request, invalid_grant, invalid_target or invalid_scope.
        """
        if fields.get("subject_token_type") != ACCESS_TOKEN or "actor_token" in fields:
            raise OAuthError("invalid_request", "Exactly one access token can be exchanged.")
        if fields.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
            raise OAuthError("invalid_request", "Only an access token can be asked for.")
        found = self._issuance.read_access(fields.get("subject_token", ""))
        if found is None:
            raise OAuthError("invalid_grant", "The subject token is not a living token of a living grant.")
        claims, grant = found
        self._check_target(grant.organisation, fields)
        scope = narrow_scope(str(claims["scope"]), fields.get("scope", ""))
        lasts = min(LIFE_S, int(claims["exp"]) - self._records.now)
        if lasts <= 0:
            raise OAuthError("invalid_grant", "The subject token has expired.")
        self._records.note_grant(grant.id)
        said = {"type": "mcp", "scope": scope, "act": {"sub": client.id}, "client_id": grant.client, "grant": grant.id}
        order = Order(
            grant.organisation,
            grant.account,
            grant.role,
            grant.community,
            "oauth",
            lasts,
            name=grant.client_name,
            session=grant.id,
            claims=said,
        )
        return {
            "access_token": self._tokens.mint(order),
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": lasts,
            "scope": scope,
        }

    def introspect(self, token: str) -> dict[str, Any]:
        """What a token is worth now (RFC 7662 section 2.2); of one that is worth nothing, nothing else is said."""
        found = self._issuance.read_access(token)
        if found is None:
            return {"active": False}
        names = ("sub", "aud", "iss", "exp", "iat", "jti", "client_id", "scope", "organisationId", "roles", "grant")
        return {"active": True, "token_type": "Bearer", **{name: found[0][name] for name in names}}

    def _check_target(self, organisation: str, fields: Mapping[str, str]) -> None:
        allowed = (self._audience, self._api_domains[organisation])
        asked = [fields[name] for name in ("resource", "audience") if name in fields]
        if not asked or not set(asked) <= set(allowed):
            raise OAuthError("invalid_target", "The subject's organisation has no such API.")
