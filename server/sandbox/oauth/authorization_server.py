"""The authorization server put together: its metadata, its endpoints for programs, and the person's pages."""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.sandbox.accounts import Accounts
from server.sandbox.oauth.authorization import RequestReader
from server.sandbox.oauth.consent import Consent
from server.sandbox.oauth.errors import OAuthError
from server.sandbox.oauth.exchange import GRANT_TYPE, ExchangeService
from server.sandbox.oauth.issuance import SCOPES, Issuance
from server.sandbox.oauth.records import OAuthGrant, OAuthRecords, RegisteredClient, hash_secret
from server.sandbox.oauth.registry import ClientRegistry
from server.sandbox.oauth.resources import Resources
from server.sandbox.sessions import Sessions
from server.sandbox.store import EntityStore
from server.sandbox.tokens import Tokens

_BODY_CAP, _FIELDS = 8_000, 30
_OWN_ID = "nudj-mcp-server"
_CORS = {"access-control-allow-origin": "*"}
"""No endpoint for programs reads a cookie, so pages of any origin may use them, as the Inspector's does."""

Handler = Callable[[Request], Awaitable[Response]]


class AuthorizationServer:
    """OAuth 2.1 with PKCE, registration, revocation, introspection and token exchange, at the sandbox's own origin.

    Parameters:
        issuer: its identifier, and the origin it is served at; no slash at the end.
        organisations: what a person chooses from, by subdomain, with id, name and api_domain.
        audience: what the Admin API demands of a token.
        documents: client metadata documents by their URL; empty turns that way of naming a client off.
        access_s: lifetime of an access token, > 0.
    """

    def __init__(
        self,
        issuer: str,
        store: EntityStore,
        tokens: Tokens,
        accounts: Accounts,
        sessions: Sessions,
        organisations: Mapping[str, Any],
        *,
        audience: str,
        documents: Mapping[str, Any],
        access_s: int = 3600,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.resources = Resources()
        self.client_id, self.client_secret = _OWN_ID, secrets.token_urlsafe(32)
        self._issuer = issuer
        self._accounts = accounts
        self._records = OAuthRecords(store, clock=clock)
        own = RegisteredClient(_OWN_ID, "The MCP server", (), hash_secret(self.client_secret))
        self._registry = ClientRegistry(self._records, documents, own)
        slugs = {each.id: slug for slug, each in organisations.items()}
        domains = {each.id: each.api_domain for each in organisations.values()}
        self._issuance = Issuance(self._records, tokens, store, accounts.find, slugs, self.resources, access_s=access_s)
        self._exchange = ExchangeService(self._issuance, self._records, tokens, audience, domains)
        self._consent = Consent(
            issuer.partition("://")[2],
            RequestReader(self._registry, self.resources, issuer),
            self._registry,
            self._records,
            self._issuance,
            self.resources,
            organisations,
            accounts,
            sessions,
            store,
        )

    def routes(self) -> list[Route]:
        """Everything, to be put before the tenant's own routes."""
        return [
            Route("/.well-known/oauth-authorization-server", self._serve(self._describe), methods=["GET"]),
            *self._consent.routes(),
            self._route("token", self._give_token),
            self._route("register", self._register),
            self._route("revoke", self._revoke),
            self._route("introspect", self._introspect),
        ]

    def list_grants(self, organisation: str, account: str | None) -> list[OAuthGrant]:
        """The living grants in an organisation, of one person or of all."""
        return self._records.list_grants(organisation, account)

    def end_grant(self, grant_id: str) -> None:
        """End a grant with every token of it, now."""
        self._issuance.end(grant_id)

    def change_account(self, account_id: str, *, role: str, organisations: tuple[str, ...]) -> None:
        """Give a person another role or other organisations; what was granted on the strength of the old ones ends."""
        self._accounts.change(account_id, role=role, organisations=organisations)
        self._issuance.end_lost()

    def _route(self, name: str, handler: Handler) -> Route:
        return Route(f"/oauth/{name}", self._serve(handler), methods=["POST", "OPTIONS"])

    def _serve(self, handler: Handler) -> Handler:
        """Only at the issuer's own host: an organisation's host has no such thing."""
        host = self._issuer.partition("://")[2]

        async def serve(request: Request) -> Response:
            if request.headers.get("host", "").lower() != host:
                return Response(status_code=404)
            if request.method == "OPTIONS":
                allowed = {"access-control-allow-methods": "POST", "access-control-allow-headers": "*"}
                return Response(status_code=204, headers=_CORS | allowed)
            try:
                response = await handler(request)
            except OAuthError as wrong:
                response = wrong.answer()
            response.headers.update(_CORS)
            return response

        return serve

    async def _describe(self, _request: Request) -> Response:
        """RFC 8414; URLs are ours, whatever Host says."""
        base = f"{self._issuer}/oauth"
        secret = ["client_secret_basic"]
        told = {
            "issuer": self._issuer,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "registration_endpoint": f"{base}/register",
            "revocation_endpoint": f"{base}/revoke",
            "introspection_endpoint": f"{base}/introspect",
            "jwks_uri": f"{self._issuer}/.well-known/jwks.json",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token", GRANT_TYPE],
            "token_endpoint_auth_methods_supported": ["none", *secret],
            "revocation_endpoint_auth_methods_supported": ["none", *secret],
            "introspection_endpoint_auth_methods_supported": secret,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        if self._registry.takes_documents:
            told["client_id_metadata_document_supported"] = True
        return JSONResponse(told, headers={"cache-control": "public, max-age=60"})

    async def _give_token(self, request: Request) -> Response:
        authorization, fields = await _read_fields(request)
        kind = fields.get("grant_type")
        if kind == GRANT_TYPE:
            return _answer(self._exchange.exchange(self._registry.authenticate_own(authorization), fields))
        client = self._registry.authenticate(authorization, fields)
        if kind == "authorization_code":
            return _answer(self._issuance.redeem(client, fields))
        if kind == "refresh_token":
            return _answer(self._issuance.refresh(client, fields))
        raise OAuthError("unsupported_grant_type", "The grant type is not one of this server.")

    async def _register(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise OAuthError("invalid_client_metadata", "The body must be sent as application/json.")
        return _answer(self._registry.register(await _read_body(request)), 201)

    async def _revoke(self, request: Request) -> Response:
        """RFC 7009: the answer is the same whether or not there was anything to revoke."""
        authorization, fields = await _read_fields(request)
        self._issuance.revoke(self._registry.authenticate(authorization, fields), fields.get("token", ""))
        return Response(status_code=200, headers={"cache-control": "no-store"})

    async def _introspect(self, request: Request) -> Response:
        authorization, fields = await _read_fields(request)
        self._registry.authenticate_own(authorization)
        return _answer(self._exchange.introspect(fields.get("token", "")))


def _answer(told: Mapping[str, Any], status: int = 200) -> Response:
    return JSONResponse(told, status, headers={"cache-control": "no-store", "pragma": "no-cache"})


async def _read_fields(request: Request) -> tuple[str | None, dict[str, str]]:
    """What proves the client, and the form, in which nothing may come twice (RFC 6749 section 3.2)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "The body must be a form.")
    text = (await _read_body(request)).decode("utf-8", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        raise OAuthError("invalid_request", "The form has too many fields.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        doubled = [name for name, _value in pairs].count("resource") > 1
        raise OAuthError("invalid_target" if doubled else "invalid_request", "A field came more than once.")
    headers = request.headers.getlist("authorization")
    if len(headers) > 1 or (headers and "client_secret" in fields):
        raise OAuthError("invalid_request", "The client proves itself in more than one way.")
    return (headers[0] if headers else None), fields


async def _read_body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_CAP:
            raise OAuthError("invalid_request", "The body is too long.", 413)
    return body
