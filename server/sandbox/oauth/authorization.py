"""The authorization endpoint: a request is checked whole before anybody is asked anything (OAuth 2.1 section 4.1.1)."""

import re
from collections.abc import Iterable
from urllib.parse import urlencode

from server.sandbox.faults import Fault
from server.sandbox.oauth.errors import OAuthError
from server.sandbox.oauth.issuance import SCOPES
from server.sandbox.oauth.records import AuthorizationRequest, RegisteredClient
from server.sandbox.oauth.redirects import find_match
from server.sandbox.oauth.registry import ClientRegistry
from server.sandbox.oauth.resources import Resources

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_STATE_CAP, _QUERY_CAP = 2_000, 8_000


class Rejected(Exception):
    """A request that is answered at the client's redirect URI, which is known to be the client's.

    Parameters:
        location: where the browser goes.
    """

    def __init__(self, location: str) -> None:
        super().__init__("rejected")
        self.location = location


class RequestReader:
    """Reads authorization requests.

    Parameters:
        issuer: what `iss` says in every answer (RFC 9207).
    """

    def __init__(self, registry: ClientRegistry, resources: Resources, issuer: str) -> None:
        self._registry = registry
        self._resources = resources
        self._issuer = issuer

    def read(self, pairs: Iterable[tuple[str, str]], length: int) -> tuple[AuthorizationRequest, RegisteredClient]:
        """The request, once client and redirect URI are proven and everything else is in order.

        Parameters:
            pairs: the query, as it came.
            length: of the query, in bytes.

        Raises:
            Fault: 400, to be shown on a page: nobody may be sent to a URI that is not proven.
            Rejected: everything else that is wrong.
        """
        if length > _QUERY_CAP:
            raise Fault(400, "The request to connect is too long.")
        given = list(pairs)
        named = [name for name, _value in given]
        asked = dict(given)
        client = self._registry.find(asked.get("client_id", "")) if named.count("client_id") == 1 else None
        if client is None or not client.redirects:
            raise Fault(400, "The program that wants to connect is not known here. Start again in the program itself.")
        redirect = asked.get("redirect_uri", "")
        if named.count("redirect_uri") != 1 or not find_match(redirect, client.redirects):
            raise Fault(400, "The program wants the answer sent to an address that it has not registered.")
        state = asked.get("state")
        if state is not None and (named.count("state") != 1 or len(state) > _STATE_CAP):
            raise Rejected(self.answer(redirect, None, error="invalid_request", error_description="state is too long"))
        try:
            return self._read_rest(named, asked, client, redirect, state), client
        except OAuthError as wrong:
            told = {"error": wrong.error, "error_description": wrong.description}
            raise Rejected(self.answer(redirect, state, **told)) from None

    def answer(self, redirect: str, state: str | None, **told: str) -> str:
        """The redirect URI with an answer in its query: always with `iss`, and with the state that came."""
        query = urlencode(told | ({} if state is None else {"state": state}) | {"iss": self._issuer})
        return f"{redirect}{'&' if '?' in redirect else '?'}{query}"

    def _read_rest(
        self, named: list[str], asked: dict[str, str], client: RegisteredClient, redirect: str, state: str | None
    ) -> AuthorizationRequest:
        if named.count("resource") != 1 or not self._resources.is_known(asked["resource"]):
            raise OAuthError("invalid_target", "resource must be the URL of the MCP server, exactly once.")
        if len(named) != len(set(named)):
            raise OAuthError("invalid_request", "A parameter came more than once.")
        if "request" in asked or "request_uri" in asked:
            raise OAuthError("request_not_supported", "Parameters are taken from the query alone.")
        if asked.get("response_type") != "code":
            raise OAuthError("unsupported_response_type", "response_type must be code.")
        if asked.get("response_mode", "query") != "query":
            raise OAuthError("invalid_request", "response_mode must be query.")
        challenge = asked.get("code_challenge", "")
        if asked.get("code_challenge_method") != "S256" or _CHALLENGE.fullmatch(challenge) is None:
            raise OAuthError("invalid_request", "PKCE with S256 is required.")
        words = asked.get("scope", "").split()
        known = [word for word in SCOPES if word in words] or list(SCOPES)
        return AuthorizationRequest(client.id, redirect, state, " ".join(known), asked["resource"], challenge)
