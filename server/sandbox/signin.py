"""Sign-in for scripts and single-page clients of an organisation's host: JSON in, a cookie out."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.sandbox.accounts import Accounts
from server.sandbox.api import refuse
from server.sandbox.faults import Fault
from server.sandbox.sessions import COOKIE, Session, Sessions, check_origin, set_cookie

_CAP = 4_000


class SignIn:
    """The session's three verbs at `/auth/session`: POST signs in, GET tells, DELETE signs out.

    Parameters:
        organisation: the subdomain behind a request's host; raises Fault 404.
    """

    def __init__(self, accounts: Accounts, sessions: Sessions, organisation: Callable[[Request], str]) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._organisation = organisation

    def routes(self) -> list[Route]:
        """One path, three methods."""
        return [
            Route("/auth/session", _guard(self._open, "signIn"), methods=["POST"]),
            Route("/auth/session", _guard(self._tell, "getSession"), methods=["GET"]),
            Route("/auth/session", _guard(self._close, "signOut"), methods=["DELETE"]),
        ]

    async def _open(self, request: Request) -> Response:
        organisation = self._organisation(request)
        check_origin(request, None, "")
        given = await _read_object(request)
        account = await self._accounts.check(str(given.get("email", "")), str(given.get("password", "")))
        session, cookie = self._sessions.open(account, organisation)
        response = JSONResponse(_describe_session(session), headers={"cache-control": "no-store"})
        set_cookie(response, cookie)
        return response

    async def _tell(self, request: Request) -> Response:
        return JSONResponse(_describe_session(self._session(request)), headers={"cache-control": "no-store"})

    async def _close(self, request: Request) -> Response:
        session = self._session(request)
        check_origin(request, session, request.headers.get("x-csrf-token", ""))
        self._sessions.close(session)
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    def _session(self, request: Request) -> Session:
        self._organisation(request)
        session = self._sessions.find(request)
        if session is None:
            raise Fault(401, "You must be logged in.")
        return session


def _describe_session(session: Session) -> dict[str, Any]:
    account = session.account
    return {
        "email": account.email,
        "role": account.role,
        "organisation": session.organisation,
        "organisations": list(account.organisations),
        "csrfToken": session.csrf,
    }


def _guard(handler: Callable[[Request], Awaitable[Response]], name: str) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            return await handler(request)
        except Fault as fault:
            return refuse(fault.status, fault.message, name)

    return serve


async def _read_object(request: Request) -> dict[str, Any]:
    text = b""
    async for chunk in request.stream():
        text += chunk
        if len(text) > _CAP:
            raise Fault(413, "body: Too long")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Fault(400, "body: Invalid JSON") from None
    if not isinstance(value, dict):
        raise Fault(400, "body: Expected object")
    return value
