"""What a client presented, and the one credential in it, or the named fault."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn

from server.credentials.secret import Secret
from tools.refusals import Code, ToolError

CredentialKind = Literal["bearer", "api_token"]

_LENGTH_CAP = 8_200
_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_MINT = "Copy a token from the admin panel (Settings, Developer, MCP Tokens) into the client's config."


@dataclass(frozen=True, slots=True)
class PresentedCredentials:
    """Everything a request says about who asks and where to; unjudged, every occurrence of a header kept.

    `path` is the subdomain of `/t/{subdomain}/mcp`; on stdio the process environment fills the same places. `door` is
    the URL of the OAuth resource the request came to, which its token must have been made for; None at every other.
    """

    authorization: tuple[str, ...] = ()
    api_token: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    path: str | None = None
    mode: tuple[str, ...] = ()
    toolsets: tuple[str, ...] = ()
    door: str | None = None

    def __repr__(self) -> str:
        return f"Presented(domain={self.domain!r}, path={self.path!r})"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The one credential of a request. `kind` says which header it came in and so goes out in; what the token *is*
    only its verified claims can say (Principal.kind). `door` is the OAuth resource it came to, if it came to one: such
    a token goes nowhere else."""

    kind: CredentialKind
    token: Secret
    door: str | None = None


def find_credential(presented: PresentedCredentials) -> Credentials:
    """Find the one credential.

    Raises:
        ToolError: credentials_missing, credentials_malformed or credentials_conflict.
    """
    bearer = _take_one(presented.authorization, "Authorization")
    api_token = _take_one(presented.api_token, "x-api-token")
    if bearer is None and api_token is None:
        raise ToolError(
            Code.CREDENTIALS_MISSING,
            "The request carries no token: neither Authorization nor x-api-token is set.",
            f"Set the header Authorization: Bearer <token> (on stdio: NUDJ_MCP_TOKEN). {_MINT}",
        )
    tokens = [
        _read_token(value, name)
        for value, name in ((bearer, "Authorization"), (api_token, "x-api-token"))
        if value is not None
    ]
    if len(set(tokens)) > 1:
        raise ToolError(
            Code.CREDENTIALS_CONFLICT,
            "Authorization and x-api-token carry two different tokens.",
            "Send one of them, or the same token in both.",
        )
    return Credentials("bearer" if bearer is not None else "api_token", Secret(tokens[0]))


def find_bearer(presented: PresentedCredentials) -> Credentials:
    """Find the one access token of a request to the OAuth door, JWT or opaque (RFC 6750 section 2.1).

    Raises:
        ToolError: credentials_missing, credentials_malformed or credentials_conflict.
    """
    if not presented.authorization and not presented.api_token:
        raise ToolError(
            Code.CREDENTIALS_MISSING, "The request carries no token.", "Sign in; the client does it itself."
        )
    if len(presented.authorization) != 1 or presented.api_token:
        raise ToolError(Code.CREDENTIALS_CONFLICT, "The request must carry one access token, in Authorization alone.")
    scheme, _, token = presented.authorization[0].partition(" ")
    if scheme.lower() != "bearer" or len(token) > _LENGTH_CAP or _B64TOKEN.fullmatch(token) is None:
        _build_malformed("not_bearer", "Authorization does not carry one Bearer token.", "Sign in again.")
    return Credentials("bearer", Secret(token), presented.door)


def _take_one(values: Sequence[str], name: str) -> str | None:
    if len(values) > 1:
        raise ToolError(
            Code.CREDENTIALS_CONFLICT, f"The header {name} came {len(values)} times.", f"Send {name} exactly once."
        )
    return values[0] if values else None


def _read_token(value: str, name: str) -> str:
    _check_bounds(value, name)
    scheme, _, rest = value.partition(" ")
    prefixed = scheme.lower() == "bearer"
    token = rest if prefixed else value
    if not token.strip():
        _build_malformed(
            "empty_after_split",
            f"{name} is present but holds no token.",
            "Some clients split arguments at spaces: write Authorization:${AUTH_HEADER} without a space and put "
            '"Bearer <token>" in the env block.',
        )
    formed = _JWT.fullmatch(token) is not None
    stray = not formed and any(sign.isspace() or not sign.isprintable() for sign in token)
    if name == "Authorization" and not prefixed and (scheme.isalpha() or not stray):
        _build_malformed(
            "not_bearer", "Authorization does not start with Bearer.", "Write Authorization: Bearer <token>."
        )
    if stray:
        _build_malformed(
            "whitespace",
            f"The token in {name} has white space or an invisible character around or inside it.",
            "Paste it again without spaces or line ends.",
        )
    if not formed:
        _build_malformed(
            "not_a_jwt",
            f"The value in {name} is not a token of this product: three parts of letters, digits, - and _, joined by "
            "dots.",
            _MINT,
        )
    return token


def _check_bounds(value: str, name: str) -> None:
    if len(value) > _LENGTH_CAP:
        _build_malformed("too_long", f"The value in {name} is longer than any token of this product.", _MINT)
    if "${" in value:
        _build_malformed(
            "unexpanded_variable",
            f"{name} contains a literal ${{...}}: the client did not expand the variable.",
            "Set that environment variable where the client starts, or write the token itself.",
        )
    if "," in value:
        raise ToolError(
            Code.CREDENTIALS_CONFLICT,
            f"The header {name} carries several values joined by a comma.",
            f"Send one token in {name}.",
        )


def _build_malformed(reason: str, message: str, hint: str) -> NoReturn:
    raise ToolError(Code.CREDENTIALS_MALFORMED, message, hint, reason=reason)
