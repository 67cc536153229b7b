"""What a token must look like before any key is asked about it: RFC 8725 (and its successor draft) read strictly.

PyJWT alone accepts padding, UTF-16, repeated names, NaN and any `typ`; another parser behind us might read such a token
differently, so it never gets that far.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.credentials.strict_json import strict_json
from tools.refusals import Code, ToolError

LENGTH_CAP = 8192
ALGORITHMS = frozenset(
    {"EdDSA"} | {family + bits for family in ("RS", "PS", "ES", "HS") for bits in ("256", "384", "512")}
)
TYPES = frozenset({None, "jwt", "at+jwt"})

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_FORBIDDEN = frozenset({"crit", "b64", "jku", "jwk", "x5u", "x5c", "zip", "enc", "epk", "p2c", "p2s", "cty"})
_MINT = "Mint a new token in the admin panel (Settings, Developer, MCP Tokens) and put it into the client's config."


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """A token whose form is right; nothing in it is trusted yet."""

    compact: str = field(repr=False)
    algorithm: str
    key_id: str | None
    claims: Mapping[str, Any] = field(repr=False)


def build_invalid(reason: str, message: str, hint: str = _MINT) -> ToolError:
    """The refusal of a token that cannot be trusted; `reason` names the check that failed."""
    return ToolError(Code.TOKEN_INVALID, message, hint, reason=reason)


def parse_token(compact: str, *, types: frozenset[str | None] = TYPES) -> UnverifiedToken:
    """Take a compact JWS (RFC 7515 section 7.1) apart.

    Parameters:
        types: `typ` values that are accepted, lower case; None stands for absent.

    Raises:
        ToolError: token_invalid.
    """
    if len(compact) > LENGTH_CAP:
        raise build_invalid("too_long", f"The token is longer than {LENGTH_CAP} characters.")
    if _COMPACT.fullmatch(compact) is None:
        raise build_invalid("format", "The token is not three base64url parts joined by dots.")
    first, second, third = compact.split(".")
    try:
        header, claims, _signature = (
            _read_object(_decode_segment(first)),
            _read_object(_decode_segment(second)),
            _decode_segment(third),
        )
    except ValueError:
        raise build_invalid("format", "The token's parts are not canonical base64url of strict JSON objects.") from None
    return UnverifiedToken(compact, _read_algorithm(header), _read_key_id(header, types), claims)


def _read_object(data: bytes) -> dict[str, Any]:
    value = strict_json(data)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _decode_segment(segment: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error as fault:
        raise ValueError("not base64url") from fault
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != segment:
        raise ValueError("trailing bits")
    return data


def _read_algorithm(header: Mapping[str, Any]) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise build_invalid("algorithm", "The token is not signed with an algorithm this server accepts.")
    return algorithm


def _read_key_id(header: Mapping[str, Any], types: frozenset[str | None]) -> str | None:
    if not _FORBIDDEN.isdisjoint(header):
        raise build_invalid("header", "The token's header asks for something this server never does.")
    kind = header.get("typ", "")
    if not isinstance(kind, str) or (kind.lower() if "typ" in header else None) not in types:
        raise build_invalid("typ", "The token is of another type than an access token.")
    key_id = header.get("kid", "-")
    if not (isinstance(key_id, str) and 0 < len(key_id) <= 200 and key_id.isprintable()):
        raise build_invalid("header", "The token's key id is not a short printable string.")
    return key_id if "kid" in header else None
