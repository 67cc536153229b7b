"""How every page leaves: rendered with escaping, forbidden to load or run anything that is not ours."""

from datetime import UTC, datetime
from importlib import resources
from typing import Any
from urllib.parse import parse_qsl

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from server.sandbox.faults import Fault
from server.sandbox.sessions import Session

_FORM_CAP = 64_000
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Not no-referrer: that would also blank the Origin header by which our own forms are told from others'.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
_LEAVING = {
    name: value.replace("form-action 'self'; ", "")
    for name, value in _HEADERS.items()
    if name != "cross-origin-opener-policy"
}
"""For pages whose form ends at another site: browsers hold form-action against the redirect that follows, too."""

_ASSETS = {"style.css": "text/css", "panel.js": "text/javascript"}
_templates = Environment(
    loader=PackageLoader("server.sandbox.panel"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(name: str, session: Session | None, status: int = 200, *, leaves: bool = False, **values: Any) -> Response:
    """A page from its template.

    Parameters:
        leaves: the page's form is answered with a redirect to another site.
    """
    text = _templates.get_template(f"{name}.html").render(session=session, page=name, **values)
    return HTMLResponse(text, status, headers=_LEAVING if leaves else _HEADERS)


def leave(url: str) -> Response:
    """Send the browser on, perhaps to another site, after a change; in a window that keeps its opener."""
    return RedirectResponse(url, 303, headers=_LEAVING)


def go(path: str) -> Response:
    """Send the browser on, after a change, to a page it may reload."""
    return RedirectResponse(path, 303, headers=_HEADERS)


async def asset(request: Request) -> Response:
    """The style sheet or the script."""
    name = request.path_params["name"]
    if name not in _ASSETS:
        return Response(status_code=404, headers=_HEADERS)
    text = resources.files("server.sandbox.panel").joinpath("assets", name).read_bytes()
    return Response(text, media_type=_ASSETS[name], headers={**_HEADERS, "cache-control": "no-cache"})


async def form(request: Request) -> dict[str, str]:
    """The fields of a posted form.

    Raises:
        Fault: 413 when it is longer than any of ours, 415 when it is no form.
    """
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise Fault(415, "This is not a form.")
    text = b""
    async for chunk in request.stream():
        text += chunk
        if len(text) > _FORM_CAP:
            raise Fault(413, "The form is too long.")
    return dict(parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True))


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


_templates.filters["date"] = _date
