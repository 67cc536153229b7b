"""Putting a server together: from settings to the one object graph that every transport serves."""

import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import anyio
from opentelemetry.trace import Tracer
from starlette.types import ASGIApp

from server.access import roles
from server.access.policy import Policy
from server.config_warnings import list_warnings
from server.credentials.parsing import PresentedCredentials
from server.credentials.secret import Secret
from server.http.port import Send
from server.identity.claims import ExpectedClaims
from server.identity.jwks import PublishedKeys
from server.identity.keys import FixedKeys, Keys, build_secret_key, parse_configured_keys
from server.identity.revocations import Revocations, SharedRevocations
from server.identity.upstream_verifier import UpstreamVerifier
from server.identity.verdict_cache import Verdicts
from server.identity.verifier import KeyVerifier, Verifier
from server.observability.audit import Audit, RotatingFile, Sink
from server.observability.metrics import Sample
from server.observability.telemetry import NoTelemetry, PrometheusTelemetry, Telemetry
from server.observability.tracing import build_exporter
from server.pipeline import oauth_assembly
from server.pipeline.authentication import Authenticator
from server.pipeline.confirmation import Confirmation
from server.pipeline.dispatcher import Dispatcher
from server.pipeline.idempotency import Idempotency
from server.pipeline.rate_limits import RateLimits
from server.protocol.prompts_and_resources import PromptsAndResources
from server.settings import Settings, SettingsError, name_variable
from server.state.in_process import InProcess
from server.state.redis_store import Redis
from server.state.store import Store, StoreDown
from server.tenants.entries import Mistakes
from server.tenants.sources import OneTenant, Source, TenantFile, open_directory
from server.upstream.circuit_breaker import CircuitBreaker
from server.upstream.credentials import UpstreamCredential
from server.upstream.tenant_api import Upstream
from tools.prompts import Prompt
from tools.resources import Resource
from tools.spec import Operation, Tool

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the server offers: the tools, the words of x-toolsets, and those listed when a client does not choose.

    `owner_read` is the request whose answer says what the caller's organisation is called.
    """

    tools: tuple[Tool, ...]
    toolsets: tuple[str, ...]
    default_toolsets: frozenset[str]
    prompts: tuple[Prompt, ...] = ()
    resources: tuple[Resource, ...] = ()
    owner_read: Operation | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """A running server without its transports.

    `ready` tells whether a call could be judged now: keys are there and fresh, the directory was read, and every source
    of revocations was heard within its grace. Redis is such a source wherever it is configured.
    """

    settings: Settings
    calls: Dispatcher
    references: PromptsAndResources
    gate: Authenticator
    audit: Audit
    ready: Callable[[], bool]
    metrics: ASGIApp | None


@dataclass(frozen=True, slots=True)
class LoadedFiles:
    """What comes from files: read, checked and complained about before anything is opened."""

    matrix: roles.RoleMatrix
    keys: Keys | None
    confirm_key: bytes
    tenants: Source | None
    sink: Sink | None
    tracer: Tracer | None


def load_files(settings: Settings) -> LoadedFiles:
    """Read every file the settings name.

    Raises:
        SettingsError: one line for each file that cannot be used.
    """
    mistakes: list[str] = []

    def attempt(name: str, make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except Mistakes as fault:
            mistakes.extend(f"{name_variable(name)}: {mistake}" for mistake in fault.mistakes)
        except (OSError, ValueError) as fault:
            mistakes.append(f"{name_variable(name)}: {fault}")
        return None

    table = attempt("roles_file", lambda: roles.load_roles(settings.roles_file or roles.BUILT_IN))
    keys = attempt("auth_keys_file" if settings.auth_keys_file else "auth_hmac_file", lambda: _build_keys(settings))
    confirm_key = attempt("confirm_key_file", lambda: _read_confirm_key(settings.confirm_key_file))
    tenants = attempt("tenants_file", lambda: _build_local_tenants(settings))
    sink = attempt("audit_file", lambda: RotatingFile(settings.audit_file) if settings.audit_file else None)
    attempt("oauth_client_secret_file", lambda: oauth_assembly.build_client(settings))
    tracer = attempt("traces", lambda: build_exporter() if settings.traces else None)
    if mistakes or table is None or confirm_key is None:
        raise SettingsError(tuple(mistakes))
    return LoadedFiles(table, keys, confirm_key, tenants, sink, tracer)


@asynccontextmanager
async def deploy(
    settings: Settings, read: LoadedFiles, catalogue: Catalogue, default_sink: Sink
) -> AsyncIterator[Deployment]:
    """The server, alive while the block runs: connections open, keys and tenants kept fresh.

    Parameters:
        read: what `parts` made of the same settings.
        default_sink: where audit lines go when no audit_file is set.
    """
    for caution in list_warnings(settings):
        _log.warning(caution)
    async with AsyncExitStack() as stack:
        audit = Audit(read.sink or default_sink)
        stack.callback(audit.close)
        store = await stack.enter_async_context(_build_store(settings))
        net, tenants = open_directory(read.tenants, settings)
        await stack.enter_async_context(net)
        revoked = SharedRevocations(store, StoreDown, needs_ids=settings.redis_url is not None)
        telemetry = _build_telemetry(settings, catalogue, read.tracer)
        telemetry.sample(Sample.AUDIT_LOST, lambda: audit.lost)
        revocations = oauth_assembly.build_revocations(settings, net.send, revoked)
        verifier = _build_verifier(settings, read.keys, net.send, revocations, telemetry)
        oauth = oauth_assembly.build_oauth_way(settings, net.send, tenants.directory, revocations, telemetry)
        door, alone = oauth.authenticator if oauth else None, settings.auth_verify != "upstream"
        gate = Authenticator(verifier, tenants.directory, catalogue.toolsets, door, judges_alone=alone)
        calls = Dispatcher(
            catalogue={tool.name: tool for tool in catalogue.tools},
            default_toolsets=catalogue.default_toolsets,
            gate=gate,
            grants=Policy(read.matrix),
            upstream=_build_upstream(
                settings, net.send, verifier, revoked, telemetry, oauth.credential if oauth else None
            ),
            limits=_build_limits(settings, store),
            confirmations=Confirmation(read.confirm_key, store, time.time),
            replays=Idempotency(store, longest_s=settings.call_timeout_s + 10),
            audit=audit,
            telemetry=telemetry,
            owner_read=catalogue.owner_read,
            cap=settings.result_bytes,
            timeout_s=settings.call_timeout_s,
        )
        tasks = await stack.enter_async_context(anyio.create_task_group())
        for source in (verifier, tenants, *((oauth.identifier,) if oauth else ())):
            await source.refresh()
            tasks.start_soon(source.run)
        yield Deployment(
            settings,
            calls,
            PromptsAndResources(
                calls,
                {each.name: each for each in catalogue.prompts},
                {each.uri: each for each in catalogue.resources},
            ),
            gate,
            audit,
            ready=lambda: verifier.ready and tenants.ready and (oauth is None or oauth.identifier.ready),
            metrics=telemetry.metrics_app() if isinstance(telemetry, PrometheusTelemetry) else None,
        )
        tasks.cancel_scope.cancel()


def read_process_credentials(settings: Settings) -> PresentedCredentials:
    """What a stdio client presents: the settings of its own process, in the places where headers would be."""
    token = settings.token.get_secret_value() if settings.token else None
    if token is not None and not token.lower().startswith("bearer "):
        token = f"Bearer {token}"
    api_token = settings.api_token.get_secret_value() if settings.api_token else None

    def as_values(value: str | None) -> tuple[str, ...]:
        return () if value is None else (value,)

    return PresentedCredentials(
        authorization=as_values(token),
        api_token=as_values(api_token),
        domain=as_values(settings.api_domain),
        mode=as_values(settings.agent_mode),
        toolsets=as_values(settings.toolsets),
    )


def _build_keys(settings: Settings) -> Keys | None:
    if settings.auth_verify != "keys":
        return None
    if settings.auth_keys_file is not None:
        return FixedKeys(parse_configured_keys(settings.auth_keys_file.read_bytes()))
    assert settings.auth_hmac_file is not None  # noqa: S101 - Settings checked that one of the two is there
    return FixedKeys(build_secret_key(Secret(settings.auth_hmac_file.read_text("ascii").strip())))


def _read_confirm_key(path: Path | None) -> bytes:
    key = secrets.token_bytes(KEY_BYTES) if path is None else path.read_bytes().strip()
    if len(key) < KEY_BYTES:
        raise ValueError(f"{path}: shorter than {KEY_BYTES} bytes")
    return key


def _build_local_tenants(settings: Settings) -> Source | None:
    if settings.tenants_file is not None:
        return TenantFile(settings.tenants_file)
    return None if settings.tenants_url is not None else OneTenant(settings.api_domain)


def _build_verifier(
    settings: Settings, keys: Keys | None, send: Send, revocations: Revocations, telemetry: Telemetry
) -> Verifier:
    expected = ExpectedClaims(
        issuer=settings.auth_issuer,
        audience=settings.auth_audience,
        types=oauth_assembly.read_types(settings),
        skew_s=settings.auth_skew_s,
        door=settings.public_url if settings.oauth_issuer else None,
    )
    if settings.auth_verify == "upstream":
        return UpstreamVerifier(send, expected)
    if keys is None:
        keys = published = PublishedKeys(settings.auth_jwks_url or "", send)
        telemetry.sample(Sample.KEY_SET_REFRESHES, lambda: published.reads)
    verdicts = Verdicts()
    telemetry.sample(Sample.VERDICT_HITS, lambda: verdicts.hits)
    telemetry.sample(Sample.VERDICT_MISSES, lambda: verdicts.misses)
    return KeyVerifier(keys, revocations, expected, verdicts=verdicts)


def _build_store(settings: Settings) -> AbstractAsyncContextManager[Store]:
    return nullcontext(InProcess()) if settings.redis_url is None else Redis(settings.redis_url.get_secret_value())


def _build_telemetry(settings: Settings, catalogue: Catalogue, tracer: Tracer | None) -> Telemetry:
    wanted = settings.metrics_port is not None or settings.traces
    return PrometheusTelemetry({tool.name for tool in catalogue.tools}, tracer) if wanted else NoTelemetry()


def _build_limits(settings: Settings, store: Store) -> RateLimits:
    return RateLimits(
        store,
        tenant_rate=settings.tenant_rate,
        tenant_burst=settings.tenant_burst,
        caller_rate=settings.caller_rate,
        caller_burst=settings.caller_burst,
        tenant_calls=settings.tenant_calls,
        caller_calls=settings.caller_calls,
    )


def _build_upstream(
    settings: Settings,
    send: Send,
    verifier: Verifier,
    revoked: SharedRevocations,
    telemetry: Telemetry,
    at_door: UpstreamCredential | None,
) -> Upstream:
    breaker = CircuitBreaker()
    telemetry.sample(Sample.BREAKERS_OPEN, lambda: breaker.open_circuits)
    return Upstream(
        send,
        telemetry=telemetry,
        breaker=breaker,
        credential=oauth_assembly.build_static_credential(settings, verifier),
        at_door=at_door,
        revoked=revoked.tell,
        timeout_s=settings.upstream_timeout_s,
    )
