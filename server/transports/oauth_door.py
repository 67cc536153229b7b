"""The OAuth door: where it is, what it says to clients before they sign in, and how it turns them away.

Everything else about it is like the static door behind it; only here is a refused token an HTTP 401, which is what
makes a client sign in or refresh (RFC 6750 section 3, RFC 9728).
"""

import json
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from tools.refusals import Code, ToolError

SCOPES = ("nudj:read", "nudj:write")
_PATH = re.compile(rb"/o(?:/t/([a-z0-9-]{1,63}))?/mcp")
_WELL_KNOWN = "/.well-known/oauth-protected-resource"
_UNAUTHORISED = frozenset(
    {
        Code.CREDENTIALS_MISSING,
        Code.CREDENTIALS_MALFORMED,
        Code.CREDENTIALS_CONFLICT,
        Code.TOKEN_INVALID,
        Code.TOKEN_EXPIRED,
        Code.TOKEN_REVOKED,
    }
)
_DESCRIPTION = "The access token is missing, expired, revoked or not for this resource"
_RETRY_S = 5


class OAuthDoor:
    """Knows the door's resources and speaks for them; every URL is built from settings, none from a request.

    Parameters:
        public_url: base URL clients reach this server under; its path is the prefix of all paths.
        issuer: the authorization server, exactly as its own metadata says it.
    """

    def __init__(self, public_url: str, issuer: str) -> None:
        self._base = public_url
        self._issuer = issuer
        self._prefix = urlsplit(public_url).path

    def find_path(self, raw_path: bytes) -> tuple[str, str | None] | None:
        """The resource a path leads to and the subdomain in it; None for every other path.

        Parameters:
            raw_path: below the prefix.
        """
        found = _PATH.fullmatch(raw_path)
        if found is None:
            return None
        return f"{self._base}{raw_path.decode()}", None if found[1] is None else found[1].decode()

    def describe(self, scope: Scope) -> Response | None:
        """Answer a request for a resource's metadata; None when it is for something else.

        The same for every well-formed subdomain, so that nobody learns from it which there are. With a prefix, the
        document is at the place RFC 9728 section 3.1 says, and below the prefix, where a proxy is sure to lead.
        """
        raw: bytes = scope["raw_path"]
        known = raw.startswith(_WELL_KNOWN.encode())
        path = raw[len(_WELL_KNOWN) :].removeprefix(self._prefix.encode()) if known else b""
        found = self.find_path(path)
        if found is None:
            return None
        headers = {"access-control-allow-origin": "*", "cache-control": "public, max-age=300"}
        if scope["method"] == "OPTIONS":
            allowed = {"access-control-allow-methods": "GET", "access-control-allow-headers": "*"}
            return Response(status_code=204, headers=headers | allowed)
        if scope["method"] not in ("GET", "HEAD"):
            return Response(status_code=405, headers={"allow": "GET, HEAD, OPTIONS"})
        told = {
            "resource": found[0],
            "authorization_servers": [self._issuer],
            "scopes_supported": list(SCOPES),
            "bearer_methods_supported": ["header"],
            "resource_name": "Nudj" if found[1] is None else f"Nudj, {found[1]}",
        }
        return JSONResponse(told, headers=headers)

    def refuse(self, resource: str, refusal: ToolError) -> Response | None:
        """What a refusal is over HTTP; None when it belongs into the answer of the call.

        401 only where signing in or refreshing helps; 503 where the check could not run, because clients throw their
        tokens away at 401.
        """
        if refusal.code is Code.VERIFICATION_UNAVAILABLE:
            return _build_answer(503, refusal, [("retry-after", str(int(refusal.retry_after_s or _RETRY_S)))])
        if refusal.code not in _UNAUTHORISED:
            return None
        return _build_answer(401, refusal, [("www-authenticate", self._build_challenge(resource, refusal))])

    def _build_challenge(self, resource: str, refusal: ToolError) -> str:
        path = resource[len(self._base) :]
        parts = [f'resource_metadata="{self._base}{_WELL_KNOWN}{path}"', f'scope="{" ".join(SCOPES)}"']
        if refusal.code is not Code.CREDENTIALS_MISSING:
            parts = ['error="invalid_token"', f'error_description="{_DESCRIPTION}"', *parts]
        return "Bearer " + ", ".join(parts)


def _build_answer(status: int, refusal: ToolError, headers: Iterable[tuple[str, str]]) -> Response:
    """A body that says no more than the fixed words: whoever sent a bad token may be anybody."""
    words = _DESCRIPTION if status == 401 else refusal.message
    error = {"code": -32001, "message": f"{words}."} if status == 401 else {"code": -32001, "message": words}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error})
    return Response(body, status, dict(headers) | {"cache-control": "no-store"}, "application/json")
