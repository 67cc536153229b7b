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
_MINT = "Copy a token from the admin panel (Settings, Developer, MCP Tokens) into the client's config."


@dataclass(frozen=True, slots=True)
class PresentedCredentials:
    """Everything a request says about who asks and where to; unjudged, every occurrence of a header kept.

    `path` is the subdomain of `/t/{subdomain}/mcp`; on stdio the process environment fills the same places.
    """

    authorization: tuple[str, ...] = ()
    api_token: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    path: str | None = None
    mode: tuple[str, ...] = ()
    toolsets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Presented(domain={self.domain!r}, path={self.path!r})"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The one credential of a request. `kind` says which header it came in and so goes out in; what the token *is*
    only its verified claims can say (Principal.kind)."""

    kind: CredentialKind
    token: Secret


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
