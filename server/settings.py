"""Every setting, in one frozen record; the only reader of the environment. All mistakes are told at once."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from server.setting_types import File, Port, Web, Words, check_base, check_claim, check_header, check_proxy

PREFIX = "NUDJ_MCP_"

OWN_NAMES = {
    "token": "NUDJ_MCP_TOKEN",
    "api_token": "NUDJ_API_TOKEN",
    "api_domain": "NUDJ_API_DOMAIN",
    "agent_mode": "NUDJ_AGENT_MODE",
    "toolsets": "NUDJ_TOOLSETS",
}
"""Settings that clients' configs name; all others are `NUDJ_MCP_` and the setting's name in capitals."""

CLIENTS_NAMES = frozenset({"NUDJ_MCP_URL"})
"""Variables of ours that only clients' files use: one environment serves all entries of such a file."""


class SettingsError(ValueError):
    """The configuration cannot be used; `mistakes` has one line for each thing to correct."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class Settings(BaseModel):
    """What an operator can decide. docs/configuration.md is generated from this class."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: Annotated[str, Field(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[Port, Field(description="Port to listen on.")] = 4010
    allowed_hosts: Annotated[
        Words, Field(description="Host header values served, comma list; `name:*` for any port. Empty: loopback only.")
    ] = ()
    allowed_origins: Annotated[
        Words, Field(description="Origin header values served, comma list. Empty: loopback only.")
    ] = ()
    public_url: Annotated[
        Web | None,
        Field(description="Base URL clients reach this server under; its host is served, its path is the prefix."),
        AfterValidator(check_base),
    ] = None
    max_body_bytes: Annotated[int, Field(ge=1_000, le=16_000_000, description="Largest request body.")] = 1_000_000
    sse_streams: Annotated[int, Field(ge=1, description="Open legacy SSE streams in all.")] = 1000
    drain_s: Annotated[
        float, Field(ge=0, le=600, description="Seconds between not-ready and the last answer when told to stop.")
    ] = 10.0
    drain_notice_s: Annotated[
        float,
        Field(
            ge=0, le=60, description="Of these, seconds in which new calls are still taken, for balancers to notice."
        ),
    ] = 2.0

    auth_verify: Annotated[
        Literal["jwks", "keys", "upstream"],
        Field(
            description="How tokens are verified: the issuer's key set, local keys, or by asking the tenant (stdio)."
        ),
    ] = "jwks"
    auth_jwks_url: Annotated[Web | None, Field(description="The issuer's key set; for jwks.")] = None
    auth_keys_file: Annotated[File | None, Field(description="JWK set file; for keys.")] = None
    auth_hmac_file: Annotated[File | None, Field(description="HMAC secret file of >= 32 bytes; for keys.")] = None
    auth_issuer: Annotated[str | None, Field(description="Required `iss`; unset: not checked, said at start.")] = None
    auth_audience: Annotated[str | None, Field(description="Required `aud`; unset: not checked, said at start.")] = None
    auth_types: Annotated[
        Words, Field(description="Accepted `typ` headers, comma list; `none` stands for a token without one.")
    ] = ("none", "JWT", "at+jwt")
    auth_skew_s: Annotated[int, Field(ge=0, le=30, description="Clock difference tolerated.")] = 10
    auth_refuse_at: Annotated[
        Literal["tool", "transport"],
        Field(description="Where bad credentials are refused: in the call (clients show it), or with HTTP 403."),
    ] = "tool"
    revocations_url: Annotated[Web | None, Field(description="Feed of revoked token ids, polled each second.")] = None
    roles_file: Annotated[
        File | None, Field(description="Role matrix instead of the built-in one (server/access/roles.toml).")
    ] = None

    oauth_issuer: Annotated[
        Web | None,
        Field(description="Authorization server for /o/mcp and /o/t/{subdomain}/mcp; unset: there are no such paths."),
    ] = None
    oauth_jwks_url: Annotated[
        Web | None, Field(description="Its key set; unset: auth_jwks_url, when it is the issuer of both doors.")
    ] = None
    oauth_introspection_url: Annotated[
        Web | None, Field(description="Its introspection endpoint, instead of a key set: for opaque tokens.")
    ] = None
    oauth_introspection_cache_s: Annotated[
        float, Field(ge=0, le=30, description="How long an answer of it is kept, so how late a revocation is noticed.")
    ] = 5.0
    oauth_client_id: Annotated[str | None, Field(description="This server's own client there.")] = None
    oauth_client_secret_file: Annotated[File | None, Field(description="Its secret; read anew at each use.")] = None
    oauth_organisation_claim: Annotated[
        str, Field(description="Claim with the organisation's 24-hex id."), AfterValidator(check_claim)
    ] = "organisationId"
    oauth_roles_claim: Annotated[
        str, Field(description="Claim with the role strings."), AfterValidator(check_claim)
    ] = "roles"
    oauth_upstream: Annotated[
        Literal["exchange", "service"],
        Field(description="What goes to the tenant's API in place of an OAuth token, which never does."),
    ] = "exchange"
    oauth_exchange_url: Annotated[Web | None, Field(description="Token endpoint (RFC 8693); for exchange.")] = None
    oauth_exchange_audience: Annotated[
        str | None, Field(description="Audience to ask for; unset: the organisation's API domain as resource.")
    ] = None

    tenants_file: Annotated[File | None, Field(description="Tenant directory, TOML; re-read when it changes.")] = None
    tenants_url: Annotated[Web | None, Field(description="Tenant directory, JSON feed; polled.")] = None
    upstream_credential: Annotated[
        Literal["passthrough", "service"],
        Field(description="What goes to the tenant's API: the caller's token, or the entry's service credential."),
    ] = "passthrough"
    upstream_identity_header: Annotated[
        str,
        Field(pattern=r"^[Xx]-[A-Za-z0-9-]{1,62}$", description="Header that names the caller in service mode."),
        AfterValidator(check_header),
    ] = "x-acting-subject"
    upstream_proxy: Annotated[
        SecretStr | None,
        AfterValidator(check_proxy),
        Field(description="Proxy on the way out: none, environment or a URL. Unset: none, on stdio environment."),
    ] = None
    upstream_timeout_s: Annotated[float, Field(gt=0, le=300, description="One request to a tenant.")] = 15.0
    call_timeout_s: Annotated[float, Field(ge=2, le=600, description="One tool call in all.")] = 60.0
    result_bytes: Annotated[int, Field(ge=2_000, le=1_000_000, description="Largest answer of a tool.")] = 60_000

    tenant_rate: Annotated[float, Field(gt=0, description="Calls a second of one organisation.")] = 500.0
    tenant_burst: Annotated[int, Field(ge=1, description="Calls an organisation may make at once.")] = 1000
    tenant_calls: Annotated[int, Field(ge=1, description="Calls of one organisation under way in one process.")] = 64
    caller_rate: Annotated[float, Field(gt=0, description="Calls a second of one person or script.")] = 250.0
    caller_burst: Annotated[int, Field(ge=1, description="Calls one person or script may make at once.")] = 500
    caller_calls: Annotated[int, Field(ge=1, description="Calls of one person or script under way.")] = 32
    redis_url: Annotated[
        SecretStr | None, Field(description="State that replicas share: budgets, revocations, confirm values, replays.")
    ] = None
    confirm_key_file: Annotated[
        File | None, Field(description="Key of >= 32 bytes for confirm values; needed when replicas share clients.")
    ] = None

    audit_file: Annotated[Path | None, Field(description="Audit lines go here, rotated at 100 MB; unset: stdout.")] = (
        None
    )
    metrics_port: Annotated[Port | None, Field(description="Port of /metrics; unset: no metrics.")] = None
    metrics_host: Annotated[str, Field(description="Address of /metrics.")] = "127.0.0.1"
    traces: Annotated[bool, Field(description="Send spans by OTLP; the OTEL_EXPORTER_OTLP_* variables say where.")] = (
        False
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="Least severe log line.")] = (
        "info"
    )

    token: Annotated[SecretStr | None, Field(description="stdio: the token, as in Authorization: Bearer.")] = None
    api_token: Annotated[SecretStr | None, Field(description="stdio: the long-lived token, as in x-api-token.")] = None
    api_domain: Annotated[str | None, Field(description="stdio: as in x-api-domain.")] = None
    agent_mode: Annotated[str | None, Field(description="stdio: as in x-agent-mode.")] = None
    toolsets: Annotated[str | None, Field(description="stdio: as in x-toolsets.")] = None

    @property
    def proxy_choice(self) -> str:
        """What `upstream_proxy` says, `none` where it says nothing."""
        return "none" if self.upstream_proxy is None else self.upstream_proxy.get_secret_value()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """What one setting asks of another; every mistake is named, not only the first."""
        mistakes = [*self._verification(), *self._directory(), *self._oauth()]
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    def _verification(self) -> list[str]:
        match self.auth_verify:
            case "jwks" if self.auth_jwks_url is None:
                return [f"auth_verify is jwks, so {name_variable('auth_jwks_url')} must be set"]
            case "keys" if (self.auth_keys_file is None) == (self.auth_hmac_file is None):
                return [
                    f"auth_verify is keys, so set either {name_variable('auth_keys_file')}"
                    f" or {name_variable('auth_hmac_file')}"
                ]
            case "upstream" if self.upstream_credential != "passthrough":
                return ["auth_verify is upstream, which works only with upstream_credential passthrough"]
        return []

    def _oauth(self) -> list[str]:
        """The OAuth door is whole or not there: nothing about it is guessed."""
        if self.oauth_issuer is None:
            return []
        needed = {"public_url": "the door's own address is in every token for it"}
        needed |= {"auth_audience": "or the static door would take tokens made for this one"}
        if self.oauth_introspection_url is None and self.auth_issuer != self.oauth_issuer:
            needed |= {"oauth_jwks_url": "or oauth_introspection_url"}
        if self.oauth_upstream == "exchange":
            needed |= {"oauth_exchange_url": "or oauth_upstream service: a client's token never goes upstream"}
        if self.oauth_upstream == "exchange" or self.oauth_introspection_url is not None:
            needed |= dict.fromkeys(("oauth_client_id", "oauth_client_secret_file"), "this server must prove itself")
        missing = [
            f"oauth_issuer is set, so {name_variable(name)} must be too ({why})"
            for name, why in needed.items()
            if getattr(self, name) is None
        ]
        if self.oauth_introspection_url is not None and self.oauth_jwks_url is not None:
            missing.append("set either oauth_jwks_url or oauth_introspection_url, not both")
        return missing

    def _directory(self) -> list[str]:
        given = [name for name in ("tenants_file", "tenants_url") if getattr(self, name) is not None]
        if len(given) > 1:
            return ["set either tenants_file or tenants_url, not both"]
        if not given and self.auth_verify != "upstream":
            return [f"no tenant directory: set {name_variable('tenants_file')} or {name_variable('tenants_url')}"]
        return []


def name_variable(name: str) -> str:
    """The environment variable of a setting."""
    return OWN_NAMES.get(name, PREFIX + name.upper())


def read_environment() -> Mapping[str, str]:
    """The environment of this process, for commands that do with it what a client would."""
    return os.environ


def load_settings(
    overrides: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
    defaults: Mapping[str, Any] = MappingProxyType({}),
) -> Settings:
    """Settings from the environment, with what the command line said on top and a command's own defaults below.

    Raises:
        SettingsError: one line for each mistake, naming the variable; values are never repeated.
    """
    unknown = _find_unknown(environment)
    said = dict(defaults)
    said |= {
        name: environment[name_variable(name)] for name in Settings.model_fields if environment.get(name_variable(name))
    }
    said |= {name: value for name, value in overrides.items() if value is not None}
    try:
        settings = Settings.model_validate(said)
    except ValidationError as wrong:
        raise SettingsError((*unknown, *_explain(wrong))) from None
    if unknown:
        raise SettingsError(unknown)
    return settings


def _find_unknown(environment: Mapping[str, str]) -> tuple[str, ...]:
    known = {name_variable(name) for name in Settings.model_fields}
    found = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known | CLIENTS_NAMES:
            near = difflib.get_close_matches(name, known, n=1)
            found.append(f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else ""))
    return tuple(found)


def _explain(wrong: ValidationError) -> list[str]:
    lines = []
    for error in wrong.errors(include_url=False, include_input=False):
        text = error["msg"].removeprefix("Value error, ")
        if error["loc"]:
            name = str(error["loc"][0])
            lines.append(f"{name_variable(name)} (--{name.replace('_', '-')}): {text}")
        else:
            lines += text.split("; ")
    return lines
