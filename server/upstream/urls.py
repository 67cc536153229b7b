"""The URL of one request: the operator's base, the operation's path, and of the caller's words only encoded values."""

from collections.abc import Mapping
from urllib.parse import quote, quote_plus

from server.tenants.tenant import Tenant
from tools.refusals import Code, Field, ToolError
from tools.spec import Operation


def build_url(
    tenant: Tenant, operation: Operation, ids: Mapping[str, str], query: Mapping[str, str | int | bool | None]
) -> str:
    """Build it; each id is one encoded segment.

    Raises:
        ToolError: arguments_invalid when an id could be read as anything but one segment.
    """
    base = tenant.api_domain
    if operation.api == "analytics":
        base = base.removesuffix("/admin") + "/analytics"
    path = operation.path.format_map({name: _encode_segment(name, value) for name, value in ids.items()})
    said = "&".join(f"{name}={_format_scalar(value)}" for name, value in query.items() if value is not None)
    return f"{base}{path}?{said}" if said else f"{base}{path}"


def _encode_segment(name: str, value: str) -> str:
    if (
        not value
        or len(value) > 200
        or value in (".", "..")
        or any(sign in "/\\?#%;" or not sign.isprintable() for sign in value)
    ):
        raise ToolError(
            Code.ARGUMENTS_INVALID,
            "An id has a form that no id has.",
            "Take ids from the list tools, unchanged.",
            fields=(Field(f"/{name}", "is not an id", "24 hexadecimal digits"),),
        )
    return quote(value, safe="")


def _format_scalar(value: str | int | bool) -> str:
    if isinstance(value, str):
        return quote_plus(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
