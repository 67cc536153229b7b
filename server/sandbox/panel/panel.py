"""The panel's pages: signing in, the organisation one works in, tokens, live calls, and a call to try."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from server.clients.blocks import build_document
from server.clients.table import CLIENTS
from server.clients.target import Target
from server.sandbox.accounts import Accounts
from server.sandbox.entities import COMMUNITY
from server.sandbox.faults import Fault
from server.sandbox.oauth.authorization_server import AuthorizationServer
from server.sandbox.oauth.records import OAuthGrant
from server.sandbox.panel.feed import CallFeed
from server.sandbox.panel.pages import asset, form, go, render
from server.sandbox.panel.playground import Exchange, Playground
from server.sandbox.sessions import COOKIE, Session, Sessions, check_origin, set_cookie
from server.sandbox.store import EntityStore, Wanted
from server.sandbox.token_admin import TokenAdmin
from server.sandbox.tokens import Kind

Page = Callable[[Request], Awaitable[Response]]
Signed = Callable[[Request, Session, Mapping[str, str]], Awaitable[Response]]
_KINDS: Mapping[str, Kind] = {"mcp": "mcp", "api": "api_token"}


class Organisation(Protocol):
    """What the panel needs to know of an organisation."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def api_domain(self) -> str: ...


class Panel:
    """All pages under /admin.

    They are served at the loopback address alone, where one cookie spans the organisations of a person; an
    organisation's own host sends browsers there.

    Parameters:
        hosts: values of Host the panel answers to, the canonical one first.
        organisations: by subdomain.
    """

    def __init__(
        self,
        hosts: tuple[str, ...],
        organisations: Mapping[str, Organisation],
        accounts: Accounts,
        sessions: Sessions,
        minting: TokenAdmin,
        store: EntityStore,
        feed: CallFeed,
        trial: Playground,
        oauth: AuthorizationServer,
    ) -> None:
        self._hosts = hosts
        self._organisations = organisations
        self._accounts = accounts
        self._sessions = sessions
        self._minting = minting
        self._store = store
        self._feed = feed
        self._trial = trial
        self._oauth = oauth

    def routes(self) -> list[Route]:
        """The pages, and the two files they load."""
        signed = self._require_session
        return [
            Route("/admin", self._here(self._enter), methods=["GET"]),
            Route("/admin/assets/{name}", asset, methods=["GET"]),
            Route("/admin/sign-in", self._here(self._ask), methods=["GET"]),
            Route("/admin/sign-in", self._here(self._sign_in), methods=["POST"]),
            Route("/admin/sign-out", self._here(signed(self._sign_out)), methods=["POST"]),
            Route("/admin/organisation", self._here(signed(self._switch)), methods=["POST"]),
            Route("/admin/tokens/{kind}", self._here(signed(self._tokens)), methods=["GET"]),
            Route("/admin/tokens/{kind}", self._here(signed(self._mint)), methods=["POST"]),
            Route("/admin/tokens/{kind}/{id}/revoke", self._here(signed(self._revoke)), methods=["POST"]),
            Route("/admin/connections", self._here(signed(self._list_connections)), methods=["GET"]),
            Route("/admin/connections/{id}/end", self._here(signed(self._end_connection)), methods=["POST"]),
            Route("/admin/calls", self._here(signed(self._calls)), methods=["GET"]),
            Route("/admin/calls/rows", self._here(signed(self._rows)), methods=["GET"]),
            Route("/admin/try", self._here(signed(self._try)), methods=["GET", "POST"]),
        ]

    def _here(self, page: Page) -> Page:
        async def serve(request: Request) -> Response:
            host = request.headers.get("host", "").lower()
            if host in self._hosts:
                try:
                    return await page(request)
                except Fault as fault:
                    return render("refused", self._sessions.find(request), fault.status, message=fault.message)
            slug = host.partition(".localhost")[0]
            if slug in self._organisations and request.method == "GET":
                return RedirectResponse(f"http://{self._hosts[0]}/admin/sign-in?organisation={slug}", 307)
            return render("refused", None, 404, message="There is nothing at this address.")

        return serve

    def _require_session(self, page: Signed) -> Page:
        async def serve(request: Request) -> Response:
            session = self._sessions.find(request)
            if session is None:
                return go("/admin/sign-in")
            fields: Mapping[str, str] = {}
            if request.method == "POST":
                fields = await form(request)
                check_origin(request, session, fields.get("csrf", ""))
            return await page(request, session, fields)

        return serve

    async def _enter(self, _request: Request) -> Response:
        return go("/admin/tokens/mcp")

    async def _ask(self, request: Request) -> Response:
        session, wanted = self._sessions.find(request), request.query_params.get("organisation", "")
        if session is not None and wanted in ("", session.organisation):
            return go("/admin/tokens/mcp")
        return render("sign_in", None, organisation=wanted, message=None)

    async def _sign_in(self, request: Request) -> Response:
        check_origin(request, None, "")
        given = await form(request)
        wanted = given.get("organisation", "")
        try:
            account = await self._accounts.check(given.get("email", ""), given.get("password", ""))
            _, cookie = self._sessions.open(account, wanted or None)
        except Fault as fault:
            return render("sign_in", None, fault.status, organisation=wanted, message=fault.message)
        before = self._sessions.find(request)
        if before is not None:
            self._sessions.close(before)
        response = go("/admin/tokens/mcp")
        set_cookie(response, cookie)
        return response

    async def _sign_out(self, _request: Request, session: Session, _given: Mapping[str, str]) -> Response:
        self._sessions.close(session)
        response = go("/admin/sign-in")
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    async def _switch(self, _request: Request, session: Session, given: Mapping[str, str]) -> Response:
        self._sessions.switch(session, given.get("organisation", ""))
        return go("/admin/tokens/mcp")

    async def _tokens(self, request: Request, session: Session, _given: Mapping[str, str]) -> Response:
        return self._token_page(request, session)

    async def _mint(self, request: Request, session: Session, given: Mapping[str, str]) -> Response:
        kind, name = _kind(request), given.get("name", "")
        role, community = given.get("role", ""), given.get("community") or None
        try:
            token = self._minting.mint(session, kind=kind, name=name, role=role, community=community)
        except Fault as fault:
            return self._token_page(request, session, fault)
        return self._token_page(request, session, token=token)

    async def _revoke(self, request: Request, session: Session, _given: Mapping[str, str]) -> Response:
        _kind(request)
        self._minting.revoke(session, request.path_params["id"])
        return go(f"/admin/tokens/{request.path_params['kind']}")

    def _token_page(
        self, request: Request, session: Session, fault: Fault | None = None, token: str | None = None
    ) -> Response:
        kind = _kind(request)
        organisation = self._organisations[session.organisation]
        return self._page(
            "tokens",
            session,
            200 if fault is None else fault.status,
            kind=request.path_params["kind"],
            tokens=[each for each in self._minting.list_tokens(session) if each.kind == kind],
            now=int(time.time()),
            roles=self._minting.roles(session),
            may_mint=kind == "mcp" or "admin" in self._minting.roles(session),
            communities=self._list_communities(organisation),
            minted=token,
            configs=self._configs(session, organisation) if token and kind == "mcp" else [],
            message=None if fault is None else fault.message,
        )

    def _list_communities(self, organisation: Organisation) -> dict[str, str]:
        found = self._store.page(organisation.id, COMMUNITY.kind, Wanted(limit=100, sort="name"))[1]
        return {each["id"]: each["name"] for each in found}

    async def _list_connections(self, _request: Request, session: Session, _given: Mapping[str, str]) -> Response:
        organisation = self._organisations[session.organisation]
        return self._page(
            "connections",
            session,
            connections=self._find_connections(session),
            emails=self._accounts.emails,
            communities=self._list_communities(organisation),
        )

    async def _end_connection(self, request: Request, session: Session, _given: Mapping[str, str]) -> Response:
        wanted = request.path_params["id"]
        if wanted not in {each.id for each in self._find_connections(session)}:
            raise Fault(404, "There is no such connection.")
        self._oauth.end_grant(wanted)
        return go("/admin/connections")

    def _find_connections(self, session: Session) -> list[OAuthGrant]:
        """The organisation's for an admin, a person's own for everybody else."""
        own = None if "admin" in self._minting.roles(session) else session.account.id
        return self._oauth.list_grants(self._organisations[session.organisation].id, own)

    def _configs(self, session: Session, organisation: Organisation) -> list[tuple[str, str]]:
        if self._trial.url is None:
            return []
        target = Target(
            server="nudj", url=self._trial.url, domain=organisation.api_domain, profile=session.organisation
        )
        return [(client.title, client.format.show(build_document(client, target))) for client in CLIENTS]

    async def _calls(self, _request: Request, session: Session, _given: Mapping[str, str]) -> Response:
        return self._page("calls", session, calls=self._latest(session))

    async def _rows(self, _request: Request, session: Session, _given: Mapping[str, str]) -> Response:
        return render("call_rows", session, calls=self._latest(session))

    def _latest(self, session: Session) -> list[dict[str, Any]]:
        organisation = self._organisations[session.organisation]
        names = self._accounts.emails | {each.id: each.name for each in self._minting.list_tokens(session)}
        return [
            {"seen": seen, "who": names.get(seen.token_id or "") or names.get(seen.who) or seen.who}
            for seen in self._feed.latest(organisation.id)
        ]

    async def _try(self, request: Request, session: Session, given: Mapping[str, str]) -> Response:
        tool, arguments = given.get("tool", "list_challenges"), given.get("arguments", '{"limit": 5}')
        exchange: Exchange | None = None
        message: str | None = None
        if request.method == "POST":
            bearer = self._sessions.bearer(session)
            domain = self._organisations[session.organisation].api_domain
            try:
                exchange = await self._trial.call(tool, arguments, bearer=bearer, api_domain=domain)
            except Fault as fault:
                message = fault.message
        shown = {"tool": tool, "arguments": arguments, "exchange": exchange, "message": message}
        return self._page("try", session, 200 if message is None else 400, url=self._trial.url, **shown)

    def _page(self, name: str, session: Session, status: int = 200, **values: Any) -> Response:
        names = {slug: self._organisations[slug].name for slug in session.account.organisations}
        return render(name, session, status, names=names, **values)


def _kind(request: Request) -> Kind:
    kind = _KINDS.get(request.path_params["kind"])
    if kind is None:
        raise Fault(404, "There is no such kind of token.")
    return kind
