"""The embedded tenant put together: store, seed, tokens and API behind one ASGI app."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.http.port import Send
from server.sandbox import seed
from server.sandbox.accounts import Account, Accounts, seed_accounts
from server.sandbox.api import Api, refuse
from server.sandbox.document import Document
from server.sandbox.oauth.authorization_server import AuthorizationServer
from server.sandbox.panel.feed import CallFeed, FeedLine
from server.sandbox.panel.panel import Panel
from server.sandbox.panel.playground import Playground
from server.sandbox.roles import ROLES
from server.sandbox.seed_builder import build_object_id, build_organisation_id
from server.sandbox.sessions import Sessions
from server.sandbox.signin import SignIn
from server.sandbox.store import EntityStore
from server.sandbox.token_admin import TokenAdmin
from server.sandbox.tokens import Kind, Order, Tokens

_YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class SandboxOrganisation:
    """One seeded organisation, as others need to know it.

    Parameters:
        api_domain: what a client sends as x-api-domain.
        community_id: the community that community-bound test tokens are bound to.
    """

    id: str
    name: str
    subdomain: str
    api_domain: str
    community_id: str


class Sandbox:
    """A tenant API with its auth service.

    Parameters:
        port: where the caller will serve `app`, 1-65535; hosts and links carry it.
        host: the address the caller will bind.
        database: file to keep everything in; None keeps it in memory.
        passwords: what passwords are made from; None makes new ones.
        client_documents: metadata documents by URL, for OAuth clients that are named by one; empty: none can be.
        access_s: lifetime of an OAuth access token, > 0.
        clock: seconds since the epoch, for what the authorization server keeps.
    """

    audience = "nudj-admin-api"

    def __init__(
        self,
        *,
        port: int,
        host: str = "127.0.0.1",
        database: Path | None = None,
        passwords: str | None = None,
        client_documents: Mapping[str, Any] = MappingProxyType({}),
        access_s: int = 3600,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._address = f"{host}:{port}"
        self.issuer = f"http://{self._address}"
        self.jwks_url = f"{self.issuer}/.well-known/jwks.json"
        self.revocations_url = f"{self.issuer}/.well-known/revocations.json"
        self._feed = CallFeed()
        self._trial = Playground()
        self.accounts: tuple[Account, ...] = seed_accounts(build_object_id, passwords)
        self._store = EntityStore(database)
        self._tokens = Tokens(self._store, issuer=self.issuer, audience=self.audience)
        self.document = Document()
        self.organisations: Mapping[str, SandboxOrganisation] = MappingProxyType(
            {
                each.slug: SandboxOrganisation(
                    each.id, each.name, each.slug, f"http://{each.slug}.localhost:{port}/api/v2/admin", each.community
                )
                for each in seed.plant(self._store, port)
            }
        )
        sessions = Sessions(self._tokens, build_organisation_id)
        api = Api(self._store, self._tokens, self.document, sessions.exchange, port=port)
        accounts = Accounts(self.accounts)
        self.oauth = AuthorizationServer(
            self.issuer,
            self._store,
            self._tokens,
            accounts,
            sessions,
            self.organisations,
            audience=self.audience,
            documents=client_documents,
            access_s=access_s,
            clock=clock,
        )
        sign_in = SignIn(accounts, sessions, api.subdomain)
        panel = Panel(
            (self._address, f"localhost:{port}"),
            self.organisations,
            accounts,
            sessions,
            TokenAdmin(self._store, self._tokens),
            self._store,
            self._feed,
            self._trial,
            self.oauth,
        )
        self.app = self._build_app([*self.oauth.routes(), *sign_in.routes(), *panel.routes(), *api.routes()])

    def _build_app(self, routes: list[Route]) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/jwks.json", self._serve_keys),
                Route("/.well-known/revocations.json", self._serve_revocations),
                *routes,
            ],
            exception_handlers={HTTPException: _refuse_http, Exception: _refuse_fault},
        )

    @property
    def verify_key(self) -> str:
        """The public key of the tokens, PEM."""
        return self._tokens.verify_key

    def directory_toml(self) -> str:
        """The tenant directory that makes a server find these organisations without a resolver."""
        return "\n".join(
            f'[tenants.{each.subdomain}]\norganisation = "{each.id}"\napi_domain = "{each.api_domain}"\n'
            f'connect_to = "{self._address}"\n'
            for each in self.organisations.values()
        )

    def mint(
        self,
        organisation: str,
        *,
        role: str = "viewer",
        community: str | None = None,
        kind: Kind = "mcp",
        ttl_s: int = 3600,
        token_id: str | None = None,
        subject: str | None = None,
    ) -> str:
        """A genuine token.

        Parameters:
            organisation: subdomain of one of ours.
            community: 24-hex id the role is limited to; None for the whole organisation.
            kind: `api_token` has no `type` claim.
            ttl_s: seconds; negative for one that has expired.
            token_id, subject: chosen when not given.
        """
        return self._tokens.mint(self._order(organisation, role, community, kind, ttl_s, token_id, subject))

    @property
    def mcp_url(self) -> str | None:
        """The MCP server that the panel offers to try, once there is one; reached through `send`."""
        return self._trial.url

    @mcp_url.setter
    def mcp_url(self, url: str | None) -> None:
        self._trial.url = url

    @property
    def send(self) -> Send | None:
        """The way out by which the panel reaches it."""
        return self._trial.send

    @send.setter
    def send(self, send: Send | None) -> None:
        self._trial.send = send

    def observe(self, line: FeedLine) -> None:
        """Show one audit line of the server in front to the people of its organisation."""
        self._feed.observe(line)

    def revoke(self, token_id: str) -> None:
        """End a token now.

        Raises:
            Fault: 404 when it was never minted.
        """
        self._tokens.revoke(token_id)

    def organisations_file(self) -> dict[str, Any]:
        """The `organisations` of a tokens file: every kind of token a test needs, per organisation."""
        return {name: self._tokens_of(name, each) for name, each in self.organisations.items()}

    def _tokens_of(self, name: str, organisation: SandboxOrganisation) -> dict[str, Any]:
        revoked = hashlib.sha256(f"{organisation.id}:revoked".encode()).hexdigest()[:24]
        tokens = {role: self.mint(name, role=role, ttl_s=24 * 3600) for role in ROLES}
        tokens["community"] = self.mint(name, role="manager", community=organisation.community_id, ttl_s=24 * 3600)
        tokens["expired"] = self.mint(name, role="admin", ttl_s=-600)
        tokens["forged"] = self._tokens.forge(self._order(name, "admin"))
        tokens["revoked"] = self.mint(name, role="admin", token_id=revoked)
        self.revoke(revoked)
        return {
            "id": organisation.id,
            "api_domain": organisation.api_domain,
            "community_id": organisation.community_id,
            "tokens": tokens,
            "x_api_token": self.mint(name, role="admin", kind="api_token", ttl_s=_YEAR_S),
        }

    def _order(
        self,
        organisation: str,
        role: str,
        community: str | None = None,
        kind: Kind = "mcp",
        ttl_s: int = 3600,
        token_id: str | None = None,
        subject: str | None = None,
    ) -> Order:
        key = self.organisations[organisation].id
        who = subject or build_object_id(key, "member", role)
        return Order(key, who, role, community, kind, ttl_s, token_id, name=subject or f"{role} ({kind})")

    async def _serve_keys(self, _request: Request) -> Response:
        return JSONResponse(self._tokens.jwks, headers={"cache-control": "public, max-age=60"})

    async def _serve_revocations(self, request: Request) -> Response:
        text, tag = self._tokens.revocations()
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(text, media_type="application/json", headers=headers)


async def _refuse_http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)  # noqa: S101 - registered for nothing else
    words = {404: "There is no such path.", 405: "There is no such operation on this path."}
    return refuse(fault.status_code, words.get(fault.status_code, "The request was refused."), request.url.path[:200])


async def _refuse_fault(request: Request, _fault: Exception) -> Response:
    return refuse(500, "Something went wrong.", request.url.path[:200])
