"""What it means when a server's answer is not the answer: HTTP statuses, broken connections and ended processes."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from server.doctor.mcp_client import ProtocolError, Silent, Unanswered
from server.doctor.results import Broken, Kind, blame_refusal
from server.http.port import HttpError


@contextmanager
def translate_failures() -> Iterator[None]:
    """Whatever keeps an answer away leaves as its cause.

    Raises:
        Broken: instead of what `McpClient.ask` raises.
    """
    try:
        yield
    except Unanswered as fault:
        raise _explain_status(fault) from None
    except HttpError as fault:
        if not fault.sent:
            said = "The server cannot be reached: no connection, or none whose certificate holds."
            raise Broken(Kind.NETWORK, fault.fault, said, "`nudj-mcp doctor --url URL` says why.") from None
        said = f"The connection was made, but the answer did not come: {fault.fault}."
        raise Broken(
            Kind.NETWORK, fault.fault, said, "Check that this port is the MCP server's, and try again."
        ) from None
    except Silent as fault:
        said = f"The server ended instead of answering: {fault or 'it said nothing'}"
        raise Broken(Kind.SERVER, "ended", said, "Correct what it names, then try again.") from None
    except ProtocolError as fault:
        raise Broken(
            Kind.SERVER, "protocol", f"The server refused the request: {fault}", "Update the server."
        ) from None


def _explain_status(fault: Unanswered) -> Broken:
    status, headers = fault.answered.status, fault.answered.headers
    if status >= 400 and headers.get("content-type", "").startswith("text/html"):
        said = f"A page answers in place of the server ({status}): a wall, a proxy or a login in front of it."
        fix = "Ask who runs the network, or the host, to let it through."
        return Broken(Kind.NETWORK, "intermediary", said, fix)
    if status == 403 and (error := _read_words(fault.answered.body)) is not None:
        return blame_refusal(error)
    said, fix, kind, reason = {
        200: ("Something answers, but not with MCP.", "Correct the URL.", Kind.CONFIG, "not_mcp"),
        401: ("The server wants another credential (401).", "Mint a new token.", Kind.TOKEN, "http_401"),
        404: ("The server has nothing at this path (404).", "The path is /mcp.", Kind.CONFIG, "wrong_path"),
        405: ("The path takes no MCP requests (405).", "The path is /mcp.", Kind.CONFIG, "wrong_path"),
        421: (
            "The server does not serve this host name (421).",
            "The operator adds it to NUDJ_MCP_ALLOWED_HOSTS.",
            Kind.SERVER,
            "host_not_served",
        ),
    }.get(status, (f"The server answers {status}.", "Tell the operator.", Kind.SERVER, f"http_{status}"))
    if 300 <= status < 400:
        where = headers.get("location", "elsewhere")
        return Broken(
            Kind.CONFIG,
            "redirect",
            f"The server sends on to {where}.",
            "Write that URL; clients lose headers on the way.",
        )
    return Broken(kind, reason, said, fix)


def _read_words(body: bytes) -> Mapping[str, Any] | None:
    try:
        data = json.loads(body)["error"]["data"]
    except (ValueError, KeyError, TypeError):
        return None
    return data if isinstance(data, dict) and "code" in data else None
