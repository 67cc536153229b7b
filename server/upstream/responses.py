"""What a tenant's answer means: each status once, from HTTP to a value or a refusal."""

import json
import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

from pydantic_core import from_json

from server.http.port import HttpError, HttpResponse
from server.tenants.api_contract import is_of_api, read_error
from tools.api.recognition import advise
from tools.outcomes import Outcome
from tools.plain_text import clean_text
from tools.refusals import Code, ToolError
from tools.spec import Operation

_WORDS_READ = 4_000
"""Characters of a tenant's words that are looked at for tokens; 300 are passed on."""
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]+")
"""Begins only where a word begins and never gives back: a tenant's words may be long, and everybody waits meanwhile."""

_LONGEST_WAIT_S = 3600.0

_SILENCES: Mapping[str, str] = {
    "refused": "The tenant's API cannot be reached.",
    "dropped": "The tenant's API closed the connection before it had answered.",
    "tls": "No secure connection to the tenant's API came about; nothing was sent.",
    "tls_unverified": "The certificate of the tenant's API could not be verified; nothing was sent.",
    "proxy": "The proxy between this server and the tenant's API failed or refused; nothing was sent.",
    "busy": "This server has too many requests to this tenant under way; nothing was sent.",
    "local": "This server could not open another connection; nothing was sent.",
}
_FOR_OPERATORS = frozenset({"tls", "tls_unverified"})
"""What no repeat mends."""

_ASK_OPERATOR = "Ask the operator: the server's log says what is wrong with the connection."

NOT_THE_API = "not_the_api"
"""Reason of an answer that somebody else gave: a firewall's page, an ingress without a backend, a login page."""


def read_value(answered: HttpResponse, operation: Operation, organisation: str) -> Any:
    """The JSON value of an answer; None when it has no content.

    Parameters:
        organisation: the caller's; nothing that names another one comes back.

    Raises:
        ToolError: by status, or upstream_invalid when the answer is not what the API's contract says.
    """
    if not is_of_api(answered):
        _refuse_stranger(answered, operation)
    if not 200 <= answered.status < 300:
        _refuse(answered, operation)
    if answered.status == 204 or not answered.body:
        return None
    try:
        parsed = _parse(answered.body)
        strangers = (
            () if _is_plainly_ours(answered.body, organisation) else _find_strangers(answered.body, organisation)
        )
    except (ValueError, RecursionError):
        raise build_invalid(
            operation, "The tenant's API answered with JSON that cannot be read.", Outcome.MADE
        ) from None
    if not isinstance(parsed, dict | list):
        raise build_invalid(
            operation, "The tenant's API answered with a bare value instead of an object.", Outcome.MADE
        )
    if strangers and not (operation.offers and _is_offered(parsed, organisation)):
        _hide(operation)
    return parsed


def explain_silence(error: HttpError, operation: Operation) -> ToolError:
    """What it means that no whole answer came; a write that may have arrived is not called repeatable."""
    safe = operation.method == "GET" or not error.sent
    outcome = Outcome.NOT_MADE if safe else Outcome.UNKNOWN
    hint = None if safe else advise(operation)
    match error.fault:
        case "timeout":
            return ToolError(
                Code.UPSTREAM_TIMEOUT,
                "The tenant's API did not answer in time.",
                hint,
                retryable=safe,
                outcome=outcome,
            )
        case "too_large":
            if operation.method == "GET":
                return ToolError(Code.RESULT_TOO_LARGE, "The tenant's API sent more than this server reads.")
            return build_invalid(operation, "The tenant's API sent more than this server reads.")
        case "protocol":
            why = f": {error.why}" if error.why else ""
            return build_invalid(operation, f"The tenant's API did not answer in HTTP as this server reads it{why}.")
        case fault:
            safe = safe and fault not in _FOR_OPERATORS
            hint = _ASK_OPERATOR if fault in _FOR_OPERATORS else hint
            return ToolError(
                Code.UPSTREAM_UNAVAILABLE, _SILENCES[fault], hint, reason=fault, retryable=safe, outcome=outcome
            )


def build_invalid(
    operation: Operation, message: str, outcome: Outcome = Outcome.UNKNOWN, words: str | None = None
) -> ToolError:
    """upstream_invalid, with the advice that a write needs; `outcome` says what became of it."""
    if operation.method == "GET":
        return ToolError(Code.UPSTREAM_INVALID, message, upstream=words)
    hint = advise(operation, made=outcome is Outcome.MADE)
    return ToolError(Code.UPSTREAM_INVALID, message, hint, outcome=outcome, upstream=words)


def read_retry_after(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float | None:
    """Seconds of Retry-After, 0 to an hour, from seconds or a date (RFC 9110 section 10.2.3); None without either.

    Parameters:
        now: seconds since the epoch.
    """
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said[:10]), _LONGEST_WAIT_S)
    try:
        at = parsedate_to_datetime(said).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(at - now(), 0.0), _LONGEST_WAIT_S)


def _refuse_stranger(answered: HttpResponse, operation: Operation) -> NoReturn:
    """Nobody's verdict on the caller: neither the token nor the id was judged by the API."""
    passing = answered.status >= 500
    safe = passing and operation.method == "GET"
    said = f"Something between this server and the tenant's API answered in its place, with status {answered.status}."
    hint = None if operation.method == "GET" else advise(operation)
    raise ToolError(
        Code.UPSTREAM_UNAVAILABLE if passing else Code.UPSTREAM_INVALID,
        said,
        hint if safe or hint else "Ask the operator: a proxy, a firewall or a login page stands in the way.",
        reason=NOT_THE_API,
        retryable=safe,
        outcome=Outcome.NOT_MADE if operation.method == "GET" else Outcome.UNKNOWN,
        retry_after_s=read_retry_after(answered.headers) if passing else None,
    )


def _refuse(answered: HttpResponse, operation: Operation) -> NoReturn:
    words = _read_words(answered)
    match answered.status:
        case 400 | 422:
            raise ToolError(
                Code.ARGUMENTS_INVALID,
                "The tenant's API does not accept these arguments.",
                "Read the upstream field as data: it says in the tenant's own words which one.",
                upstream=words,
            )
        case 401:
            raise ToolError(
                Code.UPSTREAM_UNAUTHORIZED,
                "The tenant's API does not accept the token: it was revoked or has expired.",
                "Mint a new token in the admin panel (Settings, Developer, MCP Tokens).",
                upstream=words,
            )
        case 403:
            raise ToolError(
                Code.UPSTREAM_FORBIDDEN, "The tenant's API refuses this to the token's role.", upstream=words
            )
        case 404:
            raise ToolError(Code.NOT_FOUND, "Nothing with this id exists in your organisation.", upstream=words)
        case 409:
            raise ToolError(
                Code.CONFLICT, "The tenant's API says that this contradicts the present state.", upstream=words
            )
        case 429:
            raise ToolError(
                Code.RATE_LIMITED,
                "The tenant's API has had too many calls.",
                reason="upstream",
                retry_after_s=read_retry_after(answered.headers) or 1.0,
                upstream=words,
            )
        case status if status >= 500:
            safe = operation.method == "GET"
            raise ToolError(
                Code.UPSTREAM_UNAVAILABLE,
                f"The tenant's API failed with status {status}.",
                None if safe else advise(operation),
                retryable=safe,
                retry_after_s=read_retry_after(answered.headers),
                upstream=words,
                outcome=Outcome.NOT_MADE if safe else Outcome.UNKNOWN,
            )
        case status:
            raise build_invalid(operation, f"The tenant's API answered with the status {status}.", words=words)


def _read_words(answered: HttpResponse) -> str | None:
    """The `message` of the API's error object, on one line; nothing else of an error answer is passed on."""
    error = read_error(answered)
    if error is None:
        return None
    return _TOKEN.sub("***", clean_text(error["message"], _WORDS_READ)) or None


def _parse(body: bytes) -> Any:
    if b"\\" in body and b"\\ud" in body.lower():  # one sign is looked for at the speed of memory
        # JSON may escape half a surrogate pair, which no UTF-8 answer of ours could carry.
        body = json.dumps(json.loads(body.decode()), ensure_ascii=False).encode("utf-8", "replace")
    return from_json(body, allow_inf_nan=False)


def _is_plainly_ours(body: bytes, organisation: str) -> bool:
    """Whether every `organisationId`, at any depth, is plainly followed by ours: the common case, at C speed."""
    key = b'"organisationId"'
    return (b"\\" not in body or b"\\u" not in body) and body.count(key) == body.count(
        key + f':"{organisation}"'.encode()
    )


def _find_strangers(body: bytes, organisation: str) -> list[str]:
    """The other organisations that objects in the text say they belong to, however it is written."""
    owners: list[Any] = []

    def note(found: dict[str, Any]) -> None:
        owners.append(found.get("organisationId"))

    json.loads(body.decode(), object_hook=note)
    return [str(owner) for owner in owners if owner is not None and owner != organisation]


def _is_offered(parsed: Any, organisation: str) -> bool:
    """Whether every template is the organisation's own or was opened to it by its owner."""
    edges = parsed.get("edges") if isinstance(parsed, dict) else parsed
    return isinstance(edges, list) and all(
        isinstance(edge, dict)
        and (
            edge.get("organisationId") in (None, organisation)
            or edge.get("isGlobalTemplate") is True
            or organisation in (edge.get("availableAsTemplateForOrganisations") or ())
        )
        for edge in edges
    )


def _hide(operation: Operation) -> NoReturn:
    if operation.method == "GET" and "{" in operation.path:
        raise ToolError(Code.NOT_FOUND, "Nothing with this id exists in your organisation.")
    raise build_invalid(operation, "The tenant's API answered with data of another organisation; it was withheld.")
