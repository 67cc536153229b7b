"""What initialize and server/discover say beyond the SDK's own: the state of this connection, and how we look."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware

ICON = base64.b64encode(
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#5b3df5"/>'
    b'<path d="M10 23V9l12 14V9" fill="none" stroke="#fff" stroke-width="3"/></svg>'
).decode()
_ICONS = [{"src": f"data:image/svg+xml;base64,{ICON}", "mimeType": "image/svg+xml", "sizes": ["any"]}]

Context = ServerRequestContext[Any, Any]


def build_middleware(describe: Callable[[Context], Awaitable[str]]) -> ServerMiddleware[Any]:
    """A middleware of the SDK's server; the one way to say something else to each client that connects.

    Icons go here and not into the server's own description, which the SDK puts into every answer.

    Parameters:
        describe: the sentence on this connection.
    """

    async def say_more(ctx: Context, call_next: CallNext) -> HandlerResult:
        result = await call_next(ctx)
        if ctx.method not in ("initialize", "server/discover") or not isinstance(result, dict):
            return result
        said = {**result, "instructions": f"{result.get('instructions') or ''} {await describe(ctx)}".strip()}
        if ctx.method == "initialize":
            return said | {"serverInfo": {**result["serverInfo"], "icons": _ICONS}}
        return said

    return say_more
