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

from server import matrix
from server.admission import Gate
from server.audit import Audit, RotatingFile, Sink
from server.breaker import Breaker
from server.calls import Calls
from server.cautions import cautions
from server.confirmations import Confirmations
from server.credentials import Presented
from server.grants import Grants
from server.identity.cache import Verdicts
from server.identity.claims import Expected
from server.identity.jwks import PublishedKeys
from server.identity.keys import FixedKeys, Keys, configured_keys, secret_key
from server.identity.revocations import Both, Feed, Revocations, Shared
from server.identity.upstream import UpstreamVerifier
from server.identity.verifier import KeyVerifier, Verifier
from server.limits import Limits
from server.memory import InProcess
from server.metrics import Sample
from server.net import Net, Send
from server.references import References
from server.replays import Replays
from server.secret import Secret
from server.settings import Settings, SettingsError, variable
from server.store import Redis, Store, StoreDown
from server.telemetry import Off, On, Telemetry
from server.tenants.entries import Mistakes
from server.tenants.sources import OneTenant, Source, TenantFeed, TenantFile
from server.traces import exporting
from server.upstream import Upstream
from tools.prompts import Prompt
from tools.resources import Resource
from tools.spec import Tool

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the server offers: the tools, the words of x-toolsets, and those listed when a client does not choose."""

    tools: tuple[Tool, ...]
    toolsets: tuple[str, ...]
    default_toolsets: frozenset[str]
    prompts: tuple[Prompt, ...] = ()
    resources: tuple[Resource, ...] = ()


@dataclass(frozen=True, slots=True)
class Deployment:
    """A running server without its transports.

    `ready` tells whether a call could be judged now: keys are there and fresh, the directory was read, and every source
    of revocations was heard within its grace. Redis is such a source wherever it is configured.
    """

    settings: Settings
    calls: Calls
    references: References
    gate: Gate
    audit: Audit
    ready: Callable[[], bool]
    metrics: ASGIApp | None


@dataclass(frozen=True, slots=True)
class Parts:
    """What comes from files: read, checked and complained about before anything is opened."""

    matrix: matrix.Matrix
    keys: Keys | None
    confirm_key: bytes
    tenants: Source | None
    sink: Sink | None
    tracer: Tracer | None


def parts(settings: Settings) -> Parts:
    """Read every file the settings name.

    Raises:
        SettingsError: one line for each file that cannot be used.
    """
    mistakes: list[str] = []

    def attempt(name: str, make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except Mistakes as fault:
            mistakes.extend(f"{variable(name)}: {mistake}" for mistake in fault.mistakes)
        except (OSError, ValueError) as fault:
            mistakes.append(f"{variable(name)}: {fault}")
        return None

    table = attempt("roles_file", lambda: matrix.load(settings.roles_file or matrix.BUILT_IN))
    keys = attempt("auth_keys_file" if settings.auth_keys_file else "auth_hmac_file", lambda: _keys(settings))
    confirm_key = attempt("confirm_key_file", lambda: _confirm_key(settings.confirm_key_file))
    tenants = attempt("tenants_file", lambda: _local_tenants(settings))
    sink = attempt("audit_file", lambda: RotatingFile(settings.audit_file) if settings.audit_file else None)
    tracer = attempt("traces", lambda: exporting() if settings.traces else None)
    if mistakes or table is None or confirm_key is None:
        raise SettingsError(tuple(mistakes))
    return Parts(table, keys, confirm_key, tenants, sink, tracer)


@asynccontextmanager
async def deployed(
    settings: Settings, read: Parts, catalogue: Catalogue, default_sink: Sink
) -> AsyncIterator[Deployment]:
    """The server, alive while the block runs: connections open, keys and tenants kept fresh.

    Parameters:
        read: what `parts` made of the same settings.
        default_sink: where audit lines go when no audit_file is set.
    """
    for caution in cautions(settings):
        _log.warning(caution)
    async with AsyncExitStack() as stack:
        audit = Audit(read.sink or default_sink)
        stack.callback(audit.close)
        store = await stack.enter_async_context(_store(settings))
        net = await stack.enter_async_context(Net(lambda host, port: tenants.directory.route(host, port)))
        tenants: Source = read.tenants or TenantFeed(settings.tenants_url or "", net.send)
        revoked = Shared(store, StoreDown, needs_ids=settings.redis_url is not None)
        telemetry = _telemetry(settings, catalogue, read.tracer)
        telemetry.sample(Sample.AUDIT_LOST, lambda: audit.lost)
        verifier = _verifier(settings, read.keys, net.send, revoked, telemetry)
        gate = Gate(verifier, tenants.directory, catalogue.toolsets)
        calls = Calls(
            catalogue={tool.name: tool for tool in catalogue.tools},
            default_toolsets=catalogue.default_toolsets,
            gate=gate,
            grants=Grants(read.matrix),
            upstream=_upstream(settings, net.send, verifier, revoked, telemetry),
            limits=_limits(settings, store),
            confirmations=Confirmations(read.confirm_key, store, time.time),
            replays=Replays(store),
            audit=audit,
            telemetry=telemetry,
            cap=settings.result_bytes,
            timeout_s=settings.call_timeout_s,
        )
        tasks = await stack.enter_async_context(anyio.create_task_group())
        for source in (verifier, tenants):
            await source.refresh()
            tasks.start_soon(source.run)
        yield Deployment(
            settings,
            calls,
            References(
                calls,
                {each.name: each for each in catalogue.prompts},
                {each.uri: each for each in catalogue.resources},
            ),
            gate,
            audit,
            ready=lambda: verifier.ready and tenants.ready,
            metrics=telemetry.metrics_app() if isinstance(telemetry, On) else None,
        )
        tasks.cancel_scope.cancel()


def process_presented(settings: Settings) -> Presented:
    """What a stdio client presents: the settings of its own process, in the places where headers would be."""
    token = settings.token.get_secret_value() if settings.token else None
    if token is not None and not token.lower().startswith("bearer "):
        token = f"Bearer {token}"
    api_token = settings.api_token.get_secret_value() if settings.api_token else None

    def given(value: str | None) -> tuple[str, ...]:
        return () if value is None else (value,)

    return Presented(
        authorization=given(token),
        api_token=given(api_token),
        domain=given(settings.api_domain),
        mode=given(settings.agent_mode),
        toolsets=given(settings.toolsets),
    )


def _keys(settings: Settings) -> Keys | None:
    if settings.auth_verify != "keys":
        return None
    if settings.auth_keys_file is not None:
        return FixedKeys(configured_keys(settings.auth_keys_file.read_bytes()))
    assert settings.auth_hmac_file is not None  # noqa: S101 - Settings checked that one of the two is there
    return FixedKeys(secret_key(Secret(settings.auth_hmac_file.read_text("ascii").strip())))


def _confirm_key(path: Path | None) -> bytes:
    key = secrets.token_bytes(KEY_BYTES) if path is None else path.read_bytes().strip()
    if len(key) < KEY_BYTES:
        raise ValueError(f"{path}: shorter than {KEY_BYTES} bytes")
    return key


def _local_tenants(settings: Settings) -> Source | None:
    if settings.tenants_file is not None:
        return TenantFile(settings.tenants_file)
    return None if settings.tenants_url is not None else OneTenant(settings.api_domain)


def _verifier(settings: Settings, keys: Keys | None, send: Send, revoked: Shared, telemetry: Telemetry) -> Verifier:
    types = frozenset(None if word == "none" else word.lower() for word in settings.auth_types)
    expected = Expected(
        issuer=settings.auth_issuer, audience=settings.auth_audience, types=types, skew_s=settings.auth_skew_s
    )
    if settings.auth_verify == "upstream":
        return UpstreamVerifier(send, expected)
    if keys is None:
        keys = published = PublishedKeys(settings.auth_jwks_url or "", send)
        telemetry.sample(Sample.KEY_SET_REFRESHES, lambda: published.reads)
    verdicts = Verdicts()
    telemetry.sample(Sample.VERDICT_HITS, lambda: verdicts.hits)
    telemetry.sample(Sample.VERDICT_MISSES, lambda: verdicts.misses)
    return KeyVerifier(keys, _revocations(settings, send, revoked), expected, verdicts=verdicts)


def _revocations(settings: Settings, send: Send, revoked: Shared) -> Revocations:
    return revoked if settings.revocations_url is None else Both(Feed(settings.revocations_url, send), revoked)


def _store(settings: Settings) -> AbstractAsyncContextManager[Store]:
    return nullcontext(InProcess()) if settings.redis_url is None else Redis(settings.redis_url.get_secret_value())


def _telemetry(settings: Settings, catalogue: Catalogue, tracer: Tracer | None) -> Telemetry:
    wanted = settings.metrics_port is not None or settings.traces
    return On({tool.name for tool in catalogue.tools}, tracer) if wanted else Off()


def _limits(settings: Settings, store: Store) -> Limits:
    return Limits(
        store,
        tenant_rate=settings.tenant_rate,
        tenant_burst=settings.tenant_burst,
        caller_rate=settings.caller_rate,
        caller_burst=settings.caller_burst,
        tenant_calls=settings.tenant_calls,
        caller_calls=settings.caller_calls,
    )


def _upstream(settings: Settings, send: Send, verifier: Verifier, revoked: Shared, telemetry: Telemetry) -> Upstream:
    breaker = Breaker()
    telemetry.sample(Sample.BREAKERS_OPEN, lambda: breaker.open_circuits)
    return Upstream(
        send,
        telemetry=telemetry,
        breaker=breaker,
        mode=settings.upstream_credential,
        identity_header=settings.upstream_identity_header,
        forget=verifier.forget,
        revoked=revoked.tell,
        timeout_s=settings.upstream_timeout_s,
    )
