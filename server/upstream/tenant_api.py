"""The tenant's API for one caller and one organisation: where both are compared again, and the only place that asks."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from server.credentials.parsing import Credentials
from server.http.port import OWN_FAULTS, HttpError, HttpResponse, Send
from server.identity.principal import Principal
from server.observability.telemetry import NoTelemetry, Telemetry
from server.state.store import StoreDown
from server.tenants.api_contract import is_of_api
from server.tenants.names import OrganisationNames
from server.tenants.tenant import Tenant
from server.upstream import responses
from server.upstream.circuit_breaker import CircuitBreaker
from server.upstream.credentials import Passthrough, UpstreamCredential
from server.upstream.request import TenantRequest
from server.upstream.retry_budget import RetryBudget
from server.upstream.settling import settle
from server.upstream.write_log import WriteLog
from tools.outcomes import Outcome
from tools.refusals import Code, ToolError
from tools.spec import Account, Caller, Operation, TenantApi, Tool

Progress = Callable[[float, float | None, str | None], Awaitable[None]]

_UNWATCHED = NoTelemetry()


async def _tell_nobody(_organisation: str, _token_id: str) -> None:
    """Where no replica has to be told."""


_log = logging.getLogger(__name__)

_PASSING = frozenset({502, 503, 504})
"""Statuses of a tenant that cannot answer at present; they count against its circuit."""


class Upstream:
    """Binds tool calls to tenants; one for the whole process.

    Parameters:
        send: the way out.
        breaker, retries: circuits and repeats by tenant.
        telemetry: watches each request.
        credential: what is sent for callers of the static door.
        at_door: what is sent for callers of the OAuth door; None where there is no such door.
        revoked: told organisation and id of a token that its tenant has just revoked; raises StoreDown.
        timeout_s: seconds for one request, > 0.
        cap: bytes of one answer, > 0.
        clock: seconds; the one that deadlines are read from.
    """

    def __init__(
        self,
        send: Send,
        *,
        breaker: CircuitBreaker | None = None,
        retries: RetryBudget | None = None,
        telemetry: Telemetry = _UNWATCHED,
        credential: UpstreamCredential | None = None,
        at_door: UpstreamCredential | None = None,
        revoked: Callable[[str, str], Awaitable[None]] = _tell_nobody,
        names: OrganisationNames | None = None,
        timeout_s: float = 10.0,
        cap: int = 8_000_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.send = send
        self.breaker = breaker or CircuitBreaker()
        self.retries = retries or RetryBudget()
        self.telemetry = telemetry
        self.revoked = revoked
        self.names = names or OrganisationNames()
        self.timeout_s = timeout_s
        self.cap = cap
        self.clock = clock
        self._credential = credential or Passthrough(lambda _digest: None)
        self._at_door = at_door

    def bind(
        self,
        principal: Principal,
        tenant: Tenant,
        tool: Tool,
        *,
        credentials: Credentials,
        request_id: str,
        deadline: float,
        caller: Callable[[], Caller],
        progress: Progress | None = None,
        writes: WriteLog | None = None,
    ) -> TenantApi:
        """The port of one tool call; a caller bound to communities is held to them by `community.CommunityApi`.

        Parameters:
            credentials: what the principal was verified from.
            deadline: end of the call, in seconds of `clock`.
            caller: what the tool may know of who asks; most tools never do.
            progress: tells the client how far the call is; None when it did not ask.
            writes: where the call's writes are written down.

        Raises:
            ToolError: organisation_mismatch when caller, credential and tenant do not belong together, whatever was
                decided before; community_denied for a community-bound caller in service mode, where the tenant
                cannot tell callers apart.
        """
        if principal.organisation != tenant.organisation or credentials.token.digest != principal.digest:
            raise ToolError(
                Code.ORGANISATION_MISMATCH,
                "The token belongs to another organisation than the domain.",
                organisation=principal.organisation,
            )
        headers = {"accept": "application/json", "user-agent": "nudj-mcp", "x-request-id": request_id}
        way = self._credential if credentials.door is None else self._at_door
        if way is None:
            raise RuntimeError("there is no way upstream for a token of the OAuth door")
        way.check(principal, tenant)
        log = writes or WriteLog()
        return _Bound(self, principal, tenant, tool, caller, headers, deadline, progress, way, log, credentials)


@dataclass(frozen=True, slots=True)
class _Bound:
    """`TenantApi` of one caller at one tenant."""

    up: Upstream
    principal: Principal
    tenant: Tenant
    tool: Tool
    who: Callable[[], Caller]
    headers: Mapping[str, str]
    deadline: float
    progress: Progress | None
    way: UpstreamCredential
    writes: WriteLog
    credentials: Credentials = field(repr=False)

    @property
    def caller(self) -> Caller:
        return self.who()

    async def report(self, done: float, total: float | None = None, message: str | None = None) -> None:
        if self.progress is not None:
            await self.progress(done, total, message)

    async def note(self, account: Account) -> None:
        await self.writes.note(account)

    async def call(
        self,
        operation: Operation,
        *,
        ids: Mapping[str, str] = {},
        query: Mapping[str, str | int | bool | None] = {},
        body: Any = None,
        language: str | None = None,
    ) -> Any:
        if not _is_declared(self.tool, operation):
            raise RuntimeError(f"{self.tool.name} does not declare {operation.id}")
        if operation.own is not None and ids.get(operation.own) != self.principal.organisation:
            raise ToolError(
                Code.NOT_FOUND, "This is not the id of your organisation.", "Read it from check_connection."
            )
        request = TenantRequest.build(self.tenant, operation, self.headers, ids, query)
        request.carry(body, language)
        if operation.method == "GET":
            return self._read(await self._send(request), operation)
        value = await self._write(request)
        if operation.revokes is not None:
            await self._tell_replicas(ids[operation.revokes])
        return value

    async def _write(self, request: TenantRequest) -> Any:
        write = self.writes.open(request.operation)
        try:
            answered, self.writes.left = await settle(self._send(request))
            value = self._read(answered, request.operation)
        except ToolError as refusal:
            write.outcome = refusal.outcome
            raise
        write.outcome = Outcome.MADE
        found = value.get("id") if isinstance(value, dict) else None
        write.made = found if isinstance(found, str) else None
        return value

    def _read(self, answered: HttpResponse, operation: Operation) -> Any:
        value = responses.read_value(answered, operation, self.principal.organisation)
        if operation.owner_name is not None and isinstance(value, dict):
            self.up.names.learn(self.principal.organisation, value.get(operation.owner_name))
        return value

    async def _tell_replicas(self, token_id: str) -> None:
        try:
            await self.up.revoked(self.principal.organisation, token_id)
        except StoreDown:
            raise ToolError(
                Code.PARTIALLY_COMPLETED,
                "The tenant revoked the token, but this server could not tell its other replicas.",
                "Call revoke_token again in a few seconds; until then the tenant itself refuses the token.",
            ) from None

    async def _send(self, request: TenantRequest) -> HttpResponse:
        """Ask with the caller's credential; where it is refused and another may be had, once more with that."""
        for again in (False, True):
            own = await self.way.build_headers(self.principal, self.tenant, self.credentials)
            answered = await self._ask(replace(request, headers={**request.headers, **own}))
            refused = answered.status == 401 and is_of_api(answered)
            if not refused or not self.way.note_refusal(self.principal, self.tenant, again):
                break
        return answered

    async def _ask(self, request: TenantRequest) -> HttpResponse:
        """Send, and repeat a read once when that may help."""
        self.up.retries.earn(self.tenant.api_domain)
        try:
            answered = await self._once(request)
            if answered.status not in _PASSING or not await self._again(request, answered):
                return answered
        except HttpError as error:
            if error.fault not in ("refused", "dropped") or not await self._again(request):
                raise responses.explain_silence(error, request.operation) from None
        try:
            return await self._once(request)
        except HttpError as error:
            raise responses.explain_silence(error, request.operation) from None

    async def _again(self, request: TenantRequest, answered: HttpResponse | None = None) -> bool:
        if request.operation.method != "GET":
            return False
        pause = random.uniform(0.05, 0.15)  # noqa: S311 - spreads repeats; nothing is secret about it
        if answered is not None:
            pause = max(pause, responses.read_retry_after(answered.headers) or 0.0)
        left = self.deadline - self.up.clock()
        if pause > min(1.0, left / 2) or not self.up.retries.spend(self.tenant.api_domain):
            return False
        await asyncio.sleep(pause)
        return True

    async def _once(self, request: TenantRequest) -> HttpResponse:
        up, domain = self.up, self.tenant.api_domain
        left = self.deadline - up.clock()
        if left <= 0:
            raise ToolError(Code.UPSTREAM_TIMEOUT, "The time of this call was used up before the request was sent.")
        wait = up.breaker.wait(domain)
        if wait > 0:
            raise ToolError(
                Code.UPSTREAM_UNAVAILABLE,
                "The tenant's API failed several times in a row and is left alone for a moment; nothing was sent.",
                reason="circuit_open",
                retry_after_s=round(wait, 1),
            )
        method = request.operation.method
        with up.telemetry.request(method, request.operation.path, domain.split("/")[2]) as watched:
            try:
                answered = await up.send(
                    method,
                    request.url,
                    headers={**request.headers, **watched.headers},
                    body=request.body,
                    timeout_s=min(up.timeout_s, left),
                    cap=up.cap,
                )
            except HttpError as error:
                watched.record_fault(error.fault)
                if error.fault not in OWN_FAULTS | {"too_large"}:
                    up.breaker.record_failure(domain)
                raise
            watched.record_answer(answered.status)
            if not is_of_api(answered):
                watched.record_fault(responses.NOT_THE_API)
                _log.warning("%s: status %d came from something in front of the API", domain, answered.status)
        if answered.status in _PASSING:
            up.breaker.record_failure(domain)
        else:
            up.breaker.record_answer(domain)
        return answered


def _is_declared(tool: Tool, operation: Operation) -> bool:
    """Whether the tool may make this request: its own operations, the reads that guard them, the owner's name."""
    return (operation in tool.operations or operation.owner_name is not None) or any(
        operation == guard.read for own in tool.operations for guard in own.guards
    )
