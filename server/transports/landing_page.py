"""What a person sees who opens the server's address in a browser: what this is and how to connect. Names no tenant."""

import base64
import hashlib
import html

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from server import __version__

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 42rem; margin: 0 auto; padding: 2rem 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .75rem 1rem; border-radius: .5rem; font-size: .875rem; }
pre { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>nudj-mcp</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>nudj-mcp</h1>
<p>A server for AI clients that speak the Model Context Protocol. Every tool call is scoped to the one organisation that
the caller's own token belongs to. There is nothing to see here in a browser: connect a client.</p>
<h2>Connect</h2>
<p>In a terminal, with the address of your organisation's API:</p>
<pre><code>nudj-mcp config claude-code --url {mcp} --domain YOUR_API_DOMAIN --write</code></pre>
<p>Or in the client's own configuration: this URL, and the two headers <code>Authorization: Bearer …</code> and
<code>x-api-domain: …</code>. When something is refused, <code>nudj-mcp doctor</code> says why.</p>
<h2>Addresses</h2>
<dl>
<dt>Streamable HTTP</dt><dd><code>{mcp}</code></dd>
<dt>For clients that cannot send x-api-domain</dt><dd><code>{base}/t/SUBDOMAIN/mcp</code></dd>
<dt>Legacy SSE</dt><dd><code>{base}/sse</code></dd>
<dt>Health</dt><dd><a href="{prefix}/healthz">alive</a>, <a href="{prefix}/readyz">ready</a></dd>
</dl>
<p>Version {version}</p>
</main>
</body>
</html>
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "vary": "Accept, Origin",
}


class LandingPage:
    """Answers GET and HEAD of `/`, and of `/mcp` where a browser asks.

    Parameters:
        public_url: the base URL clients reach this server under, without a slash at its end; None when not known: the
            Host of a request is a stranger's word, and does not go into a page.
    """

    def __init__(self, public_url: str | None) -> None:
        self._base = public_url

    async def show(self, request: Request) -> Response:
        """The page."""
        prefix = request.scope.get("root_path", "")
        base = self._base or f"https://THIS_HOST{prefix}"
        values = {"mcp": f"{base}/mcp", "base": base, "prefix": prefix, "version": __version__}
        page = _PAGE.format(style=_STYLE, **{name: html.escape(value) for name, value in values.items()})
        return HTMLResponse(page, headers=_HEADERS)


def is_wanted(accept: bytes) -> bool:
    """Whether an Accept header is a browser's, which names text/html; MCP clients do not."""
    return b"text/html" in accept.lower()
