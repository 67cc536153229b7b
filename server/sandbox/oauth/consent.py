"""The person's part: one page that says who asks for what, and nothing that happens without a click on it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from server.sandbox.accounts import Account, Accounts
from server.sandbox.entities import COMMUNITY
from server.sandbox.faults import Fault
from server.sandbox.oauth.authorization import Rejected, RequestReader
from server.sandbox.oauth.issuance import READ, Issuance
from server.sandbox.oauth.records import GRANT_S, REFRESH_S, AuthorizationRequest, OAuthRecords, RegisteredClient
from server.sandbox.oauth.redirects import is_loopback, read_host
from server.sandbox.oauth.registry import ClientRegistry
from server.sandbox.oauth.resources import Resources
from server.sandbox.panel.pages import form, leave, render
from server.sandbox.roles import ROLES
from server.sandbox.sessions import COOKIE, Session, Sessions, check_origin, set_cookie
from server.sandbox.store import EntityStore, Wanted

BROWSER_COOKIE = "nudj_connect"
_DAY_S = 24 * 3600


class Place(Protocol):
    """What a person needs to know of an organisation."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _Question:
    """One request to connect, as the page shows it."""

    key: str
    asked: AuthorizationRequest
    client: RegisteredClient


class Consent:
    """Takes requests in, asks the person, and sends the answer to the client.

    Parameters:
        host: the one value of Host at which the pages are served.
        organisations: by subdomain.
    """

    def __init__(
        self,
        host: str,
        reader: RequestReader,
        registry: ClientRegistry,
        records: OAuthRecords,
        issuance: Issuance,
        resources: Resources,
        organisations: Mapping[str, Place],
        accounts: Accounts,
        sessions: Sessions,
        store: EntityStore,
    ) -> None:
        self._host = host
        self._reader = reader
        self._registry = registry
        self._records = records
        self._issuance = issuance
        self._resources = resources
        self._organisations = organisations
        self._accounts = accounts
        self._sessions = sessions
        self._store = store

    def routes(self) -> list[Route]:
        """Where clients send the browser, and where the person is asked."""
        return [
            Route("/oauth/authorize", self._guard(self._take_in), methods=["GET"]),
            Route("/admin/connect/{key}", self._guard(self._ask), methods=["GET"]),
            Route("/admin/connect/{key}", self._guard(self._decide), methods=["POST"]),
        ]

    def _guard(self, page: Any) -> Any:
        async def serve(request: Request) -> Response:
            try:
                if request.headers.get("host", "").lower() != self._host:
                    raise Fault(404, "There is nothing at this address.")
                response: Response = await page(request)
            except Fault as fault:
                return render("refused", None, fault.status, message=fault.message)
            except Rejected as rejected:
                return leave(rejected.location)
            return response

        return serve

    async def _take_in(self, request: Request) -> Response:
        length = len(request.scope["query_string"])
        asked, _client = self._reader.read(request.query_params.multi_items(), length)
        browser = request.cookies.get(BROWSER_COOKIE) or secrets.token_urlsafe(32)
        key = self._records.add_request(asked, browser)
        response = RedirectResponse(f"/admin/connect/{key}", 303, headers={"cache-control": "no-store"})
        # Lax, so that it comes along although another site sends the browser here; it opens nothing by itself.
        response.set_cookie(BROWSER_COOKIE, browser, max_age=3600, httponly=True, samesite="lax", path="/")
        return response

    async def _ask(self, request: Request) -> Response:
        question = self._find(request)
        if request.headers.get("sec-fetch-site") == "cross-site":
            # The session's cookie stays at home when another site sends the browser, and nothing comes of that alone.
            return render("connect_continue", None, client=question.client, key=question.key)
        session = self._sessions.find(request)
        if session is None:
            return self._ask_who(question)
        return self._show(question, session)

    async def _decide(self, request: Request) -> Response:
        question, given = self._find(request), await form(request)
        match given.get("do"):
            case "sign-in":
                return await self._sign_in(request, question, given)
            case "allow" | "cancel" | "sign-out":
                session = self._sessions.find(request)
                if session is None:
                    return self._ask_who(question, Fault(401, "The session is over: sign in again."))
                check_origin(request, session, given.get("csrf", ""))
                return self._conclude(question, session, given)
        raise Fault(400, "The form is not one of this page.")

    async def _sign_in(self, request: Request, question: _Question, given: Mapping[str, str]) -> Response:
        check_origin(request, None, "")
        try:
            account = await self._accounts.check(given.get("email", ""), given.get("password", ""))
        except Fault as fault:
            return self._ask_who(question, fault)
        before = self._sessions.find(request)
        if before is not None:
            self._sessions.close(before)
        _session, cookie = self._sessions.open(account, None)
        response = leave(f"/admin/connect/{question.key}")
        set_cookie(response, cookie)
        return response

    def _conclude(self, question: _Question, session: Session, given: Mapping[str, str]) -> Response:
        if given["do"] == "sign-out":
            self._records.release_request(question.key)
            self._sessions.close(session)
            response = leave(f"/admin/connect/{question.key}")
            response.delete_cookie(COOKIE, httponly=True, samesite="strict")
            return response
        account = self._read_account(session)
        asked = question.asked
        if given["do"] == "cancel" or not self._list_places(asked, account):
            self._close(question, session)
            told = {"error": "access_denied", "error_description": "The person said no, or may not connect there."}
            return leave(self._reader.answer(asked.redirect, asked.state, **told))
        try:
            place = self._read_place(asked, account, given)
        except Fault as fault:
            return self._show(question, session, fault)
        self._close(question, session)
        scope = READ if given.get("read_only") else asked.scope
        code = self._issuance.allow(account, question.client, asked, place, scope)
        return leave(self._reader.answer(asked.redirect, asked.state, code=code))

    def _find(self, request: Request) -> _Question:
        key = str(request.path_params["key"])
        asked = self._records.find_request(key, request.cookies.get(BROWSER_COOKIE, ""))
        client = None if asked is None else self._registry.find(asked.client)
        if asked is None or client is None:
            message = "This request to connect is over, or was begun in another browser. Start again in the program."
            raise Fault(404, message)
        return _Question(key, asked, client)

    def _close(self, question: _Question, session: Session) -> None:
        if not self._records.close_request(question.key, session.id):
            raise Fault(409, "This request to connect was answered already, or seen by somebody else first.")

    def _read_account(self, session: Session) -> Account:
        """The person as known now, whatever was true when the session began."""
        account = self._accounts.find(session.account.id)
        if account is None:
            raise Fault(403, "This account is gone.")
        return account

    def _list_places(self, asked: AuthorizationRequest, account: Account) -> list[str]:
        """Subdomains the person may choose from; the one in the resource's path leaves no choice."""
        fixed = self._resources.read_subdomain(asked.resource)
        return [slug for slug in account.organisations if fixed in (None, slug)]

    def _read_place(
        self, asked: AuthorizationRequest, account: Account, given: Mapping[str, str]
    ) -> tuple[str, str, str | None]:
        slug, role = given.get("organisation", ""), given.get("role", "")
        if slug not in self._list_places(asked, account):
            raise Fault(400, "Choose one of your organisations.")
        if role not in ROLES[: ROLES.index(account.role) + 1]:
            raise Fault(403, "You cannot give more than your own role.")
        organisation, community = self._organisations[slug].id, given.get("community") or None
        if community is not None and self._store.find(organisation, COMMUNITY.kind, community) is None:
            raise Fault(400, "The community is not one of the organisation you chose.")
        return organisation, role, community

    def _ask_who(self, question: _Question, fault: Fault | None = None) -> Response:
        message = None if fault is None else fault.message
        status = 200 if fault is None else fault.status
        return render("connect_sign_in", None, status, key=question.key, client=question.client, message=message)

    def _show(self, question: _Question, session: Session, fault: Fault | None = None) -> Response:
        if not self._records.bind_request(question.key, session.id):
            raise Fault(403, "This request to connect was begun by somebody else. Start again in the program.")
        account, asked = self._read_account(session), question.asked
        slugs = self._list_places(asked, account)
        return render(
            "connect",
            session,
            200 if fault is None else fault.status,
            leaves=True,
            key=question.key,
            client=question.client,
            document_host=read_host(question.client.id) if question.client.id.startswith("https://") else None,
            redirect_host=read_host(asked.redirect),
            loopback=is_loopback(asked.redirect),
            resource_host=self._resources.read_host(),
            fixed=self._resources.read_subdomain(asked.resource),
            places={slug: self._organisations[slug].name for slug in slugs},
            communities={slug: self._list_communities(slug) for slug in slugs},
            roles=ROLES[: ROLES.index(account.role) + 1],
            account=account,
            may_write=asked.scope != READ,
            days=REFRESH_S // _DAY_S,
            most_days=GRANT_S // _DAY_S,
            message=None if fault is None else fault.message,
        )

    def _list_communities(self, slug: str) -> dict[str, str]:
        wanted = Wanted(limit=100, sort="name")
        found = self._store.page(self._organisations[slug].id, COMMUNITY.kind, wanted)[1]
        return {each["id"]: each["name"] for each in found}
