"""A browser's session: a cookie that only the browser holds, exchanged for a short-lived Bearer on each admin call."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from server.sandbox.accounts import Account
from server.sandbox.faults import Fault
from server.sandbox.tokens import Order, Tokens

COOKIE = "nudj_session"
_LIFE_S, _IDLE_S, _BEARER_S = 8 * 3600, 30 * 60, 60


@dataclass(slots=True)
class Session:
    """One signed-in browser.

    Parameters:
        id: SHA-256 of the cookie, so that what is kept here opens nothing.
        organisation: subdomain of the one the person is working in, always one of the account's.
        csrf: what every form and script must send along with a change.
        ends, idle_ends: seconds of the clock.
    """

    id: str
    account: Account
    organisation: str
    ends: float
    idle_ends: float
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


class Sessions:
    """The sessions of this process; a restart signs everybody out.

    Parameters:
        identify: subdomain -> id of an organisation.
    """

    def __init__(
        self, tokens: Tokens, identify: Callable[[str], str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tokens = tokens
        self._identify = identify
        self._clock = clock
        self._open: dict[str, Session] = {}

    def open(self, account: Account, organisation: str | None) -> tuple[Session, str]:
        """Begin a session in an organisation (the account's first when none is named) and make its cookie.

        Raises:
            Fault: 403 when the account does not belong there.
        """
        now = self._clock()
        for stale in [key for key, each in self._open.items() if now >= min(each.ends, each.idle_ends)]:
            self.close(self._open[stale])
        cookie = secrets.token_urlsafe(32)
        session = Session(_hash(cookie), account, account.organisations[0], now + _LIFE_S, now + _IDLE_S)
        if organisation is not None:
            self.switch(session, organisation)
        self._open[session.id] = session
        return session, cookie

    def find(self, request: Request) -> Session | None:
        """The session a request belongs to, if it is alive."""
        session = self._open.get(_hash(request.cookies.get(COOKIE, "")))
        if session is None:
            return None
        now = self._clock()
        if now >= min(session.ends, session.idle_ends):
            self.close(session)
            return None
        session.idle_ends = now + _IDLE_S
        return session

    def switch(self, session: Session, organisation: str) -> None:
        """Work in another organisation of the account.

        Raises:
            Fault: 403 when the account does not belong there.
        """
        if organisation not in session.account.organisations:
            raise Fault(403, "This account does not belong to that organisation.")
        session.organisation = organisation

    def bearer(self, session: Session) -> str:
        """A token for the next minute, with the person's role in the current organisation."""
        organisation, account = self._identify(session.organisation), session.account
        order = Order(organisation, account.id, account.role, kind="session", ttl_s=_BEARER_S, session=session.id)
        return self._tokens.mint(order)

    def exchange(self, request: Request) -> str | None:
        """The Bearer for an API request that carries the cookie and no token; None without a session.

        Raises:
            Fault: 403 when a change does not prove that it comes from our own pages.
        """
        session = self.find(request)
        if session is None:
            return None
        if request.method not in ("GET", "HEAD"):
            check_origin(request, session, request.headers.get("x-csrf-token", ""))
        return self.bearer(session)

    def close(self, session: Session) -> None:
        """End a session and every token that came out of it."""
        self._open.pop(session.id, None)
        self._tokens.revoke_session(session.id)


def check_origin(request: Request, session: Session | None, csrf: str) -> None:
    """See that a change was asked for by a page of this very host, and by the session's own.

    Raises:
        Fault: 403.
    """
    host = request.headers.get("host", "")
    if request.headers.get("origin") != f"http://{host}":
        raise Fault(403, "The request does not come from this site.")
    if session is not None and not hmac.compare_digest(csrf.encode(), session.csrf.encode()):
        raise Fault(403, "The form is stale: load the page again.")


def set_cookie(response: Response, cookie: str) -> None:
    """Give the browser its cookie; the loopback is plain HTTP, so it cannot be marked Secure."""
    response.set_cookie(COOKIE, cookie, max_age=_LIFE_S, httponly=True, samesite="strict")


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
