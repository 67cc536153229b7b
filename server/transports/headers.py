"""From raw HTTP headers to what was presented: every occurrence kept, nothing judged."""

import hashlib
from typing import Any

from starlette.types import Scope

from server.credentials.parsing import PresentedCredentials

_SEEN = {
    b"authorization": "authorization",
    b"x-api-token": "api_token",
    b"x-api-domain": "domain",
    b"x-agent-mode": "mode",
    b"x-toolsets": "toolsets",
}


def read_credentials(scope: Scope, path: str | None, door: str | None = None) -> PresentedCredentials:
    """Collect what this one request says about who asks and where to.

    Parameters:
        path: the subdomain of `/t/{subdomain}/mcp`, None on the plain path.
        door: the OAuth resource it came to, None at the static door.
    """
    found: dict[str, Any] = {}
    for name, value in scope["headers"]:
        member = _SEEN.get(name)
        if member is not None:
            found.setdefault(member, []).append(value.decode("utf-8", "surrogateescape"))
    return PresentedCredentials(path=path, door=door, **{member: tuple(values) for member, values in found.items()})


def name_owner(who: PresentedCredentials) -> str:
    """A name for the exact credentials of a request, by which a stream is bound to them; not reversible."""
    said = "\n".join((*who.authorization, "", *who.api_token, "", *who.domain, "", who.path or ""))
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()
