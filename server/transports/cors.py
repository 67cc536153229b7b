"""What a page of an allowed origin may do (Fetch standard, CORS protocol); which origins are, the guard judges."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

READ_BY_CLIENTS = ("mcp-session-id", "retry-after", "www-authenticate", "x-request-id")
SENT_BY_CLIENTS = (
    "accept",
    "authorization",
    "content-type",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    "traceparent",
    "tracestate",
    "x-agent-mode",
    "x-api-domain",
    "x-api-token",
    "x-toolsets",
)


def allow_origin(app: ASGIApp) -> ASGIApp:
    """The application as a page sees it: preflights are answered, and every answer may be read by the page's origin.

    Never with credentials: a cookie means nothing here, and what a page sends it has to know itself.
    """
    return CORSMiddleware(
        app,
        allow_origin_regex=".*",  # only what HttpGuard allowed comes here
        allow_methods=("GET", "POST"),
        allow_headers=SENT_BY_CLIENTS,
        expose_headers=READ_BY_CLIENTS,
        max_age=600,
    )
