"""The spine: one tools/call from arguments to answer, one tools/list from credentials to tools, each judged anew."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from server.access.community_filter import CommunityFilter
from server.access.policy import Decision, Policy, check_communities
from server.observability.audit import Audit, describe_shape
from server.observability.telemetry import Telemetry
from server.pipeline import envelope, validation
from server.pipeline.authentication import Admission, Authenticator
from server.pipeline.confirmation import Confirmation, write_question
from server.pipeline.context import CallContext, CallRequest
from server.pipeline.envelope import Envelope
from server.pipeline.faults import UnknownTool, build_error, choose_code, locate_faults
from server.pipeline.idempotency import Idempotency
from server.pipeline.rate_limits import RateLimits
from server.upstream.tenant_api import Upstream
from server.upstream.write_log import WriteLog
from tools.refusals import Code, ToolError
from tools.spec import Caller, ConfirmedInput, IdempotentInput, Operation, TenantApi, Tool, ToolInput

MARGIN_S = 1.0
"""The tenant's time ends this much before the call's, so that a chain can still tell what it left behind."""

AnswerT = TypeVar("AnswerT")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listing:
    """The tools a caller is shown; `lasting` is false when credentials were refused, so that clients ask again."""

    tools: tuple[Tool, ...]
    lasting: bool


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Judges and answers every request.

    Parameters:
        catalogue: the tools there are, by name, in reading order.
        default_toolsets: those listed when the client does not choose.
        owner_read: the request whose answer says what the caller's organisation is called.
        cap: bytes of one answer, > 0.
        timeout_s: seconds one call may take, > 0.

    `under_way` counts the requests of each transport that are not answered yet.
    """

    catalogue: Mapping[str, Tool]
    default_toolsets: frozenset[str]
    gate: Authenticator
    grants: Policy
    upstream: Upstream
    limits: RateLimits
    confirmations: Confirmation
    replays: Idempotency
    audit: Audit
    telemetry: Telemetry
    owner_read: Operation | None = None
    cap: int = 60_000
    timeout_s: float = 60.0
    under_way: Counter[str] = field(default_factory=Counter)

    async def list_tools(self, asked: CallRequest) -> Listing:
        """The tools this caller is shown: the same predicate as the call, cut to the toolsets it asked for."""
        case = CallContext(asked, "tools/list")
        try:
            with self._record(case):
                case.admission = admission = await self.gate.admit(asked.presented)
        except ToolError as refusal:
            return self._list_for_stranger(refusal)
        chosen = self.default_toolsets if admission.toolsets is None else admission.toolsets
        allowed = (tool for tool in self.catalogue.values() if self._decide(admission, tool).denied is None)
        return Listing(tuple(tool for tool in allowed if tool.toolset in chosen or not tool.permissions), lasting=True)

    def _list_for_stranger(self, refusal: ToolError) -> Listing:
        """The catalogue is public; what a bad credential needs is to learn what is wrong, from check_connection."""
        unchecked = refusal.code is Code.VERIFICATION_UNAVAILABLE
        said = f" Now: {refusal.message} {refusal.hint}"
        tools = (
            tool if tool.permissions else replace(tool, description=tool.description + said)
            for tool in self.catalogue.values()
            if unchecked or not tool.permissions
        )
        return Listing(tuple(tools), lasting=False)

    async def admit(self, asked: CallRequest, method: str) -> Admission:
        """Judge and record a request that needs an admitted caller and nothing more.

        Raises:
            ToolError: as Gate.admit.
        """
        case = CallContext(asked, method)
        with self._record(case):
            case.admission = await self.gate.admit(asked.presented)
        return case.admission

    async def refusal(self, asked: CallRequest, method: str) -> ToolError | None:
        """Why a request is turned away before its message is read; what is let in is recorded as what it then asks."""
        refusal = await self.gate.refusal(asked.presented)
        if refusal is None:
            return None
        with suppress(ToolError), self._record(CallContext(asked, method)):
            raise refusal
        return refusal.with_traceback(None)

    async def call(self, asked: CallRequest, name: str, raw: Mapping[str, Any]) -> Envelope:
        """Answer one tools/call with its envelope; a refusal is an answer too.

        Raises:
            UnknownTool: the name is not in the catalogue.
        """
        tool = self.catalogue.get(name)
        if tool is not None:
            return await self.run(asked, "tools/call", tool, raw)
        with self._record(CallContext(asked, "tools/call", name, None, describe_shape(raw))):
            raise UnknownTool(name)

    async def run(self, asked: CallRequest, method: str, tool: Tool, raw: Mapping[str, Any]) -> Envelope:
        """Judge and run one tool, whichever MCP method asked for it."""
        case = CallContext(asked, method, tool.name, tool.effect.value, describe_shape(raw))
        try:
            with self._record(case):
                return await self._answer(case, tool, raw)
        except ToolError as refusal:
            # The envelope keeps the refusal, and its traceback keeps the frames that hold the envelope: a ring.
            refusal.__context__ = refusal.__cause__ = None
            return envelope.build_failure(refusal.with_traceback(None), asked.request_id)

    async def _answer(self, case: CallContext, tool: Tool, raw: Mapping[str, Any]) -> Envelope:
        case.admission = admission = await self.gate.admit(case.asked.presented)
        async with self.limits.enter(admission.principal, admission.tenant):
            decision = self._decide(admission, tool)
            if decision.denied is not None:
                raise self.grants.refusal(decision, admission.principal, tool, admission.mode)
            given = validation.validate(tool, raw)
            check_communities(decision, tool, given)
            if isinstance(given, ConfirmedInput):
                ask = partial(self._write_question, case, admission, decision, tool, given)
                await self.confirmations.require(admission.principal, tool, given, ask)
            return await self._run(case, admission, decision, tool, given)

    async def _run(
        self, case: CallContext, admission: Admission, decision: Decision, tool: Tool, given: ToolInput
    ) -> Envelope:
        async def run() -> Envelope:
            api = self._bind_api(case, admission, decision, tool, time.monotonic() + self.timeout_s - MARGIN_S)

            async def work() -> Envelope:
                return envelope.fit(tool, await tool.run(given, api), self.cap, case.writes.advice)

            return await self._wait(tool, work(), case.writes)

        if isinstance(given, IdempotentInput):
            return await self.replays.once(admission.principal, tool, given, case.writes, run)
        return await run()

    async def _write_question(
        self, case: CallContext, admission: Admission, decision: Decision, tool: Tool, given: ToolInput
    ) -> str:
        """What a person is asked before the tool destroys: from the thing itself, which is read first."""
        assert tool.preview is not None  # noqa: S101 - a rule over the catalogue: what destroys has one
        api = self._bind_api(case, admission, decision, tool, time.monotonic() + self.timeout_s - MARGIN_S)
        preview = await self._wait(tool, tool.preview(given, api), case.writes)
        tenant, names = admission.tenant, self.upstream.names
        if names.find(tenant) is None and self.owner_read is not None:
            with suppress(ToolError):  # the host says where it is, too
                await api.call(self.owner_read, ids={"id": tenant.organisation})
        return write_question(preview, names.find(tenant), urlsplit(tenant.api_domain).netloc)

    async def _wait(self, tool: Tool, work: Awaitable[AnswerT], writes: WriteLog) -> AnswerT:
        """The tool's work within its time; an answer of the tenant that fits no model is the tenant's fault."""
        patience = asyncio.timeout(self.timeout_s)
        try:
            async with patience:
                return await work
        except TimeoutError:
            if not patience.expired():
                raise
            raise self._late(writes) from None
        except (ValidationError, PydanticSerializationError) as fault:
            _log.warning("%s: the tenant's answer does not fit: %s", tool.name, locate_faults(fault))
        message = "The tenant's API answered with something that is not its contract."
        raise ToolError(Code.UPSTREAM_INVALID, message, writes.advice)

    def _bind_api(
        self, case: CallContext, admission: Admission, decision: Decision, tool: Tool, deadline: float
    ) -> TenantApi:
        api = self.upstream.bind(
            admission.principal,
            admission.tenant,
            tool,
            credentials=admission.credentials,
            request_id=case.asked.request_id,
            deadline=deadline,
            caller=partial(self._caller, admission),
            progress=case.asked.progress,
            writes=case.writes,
        )
        return api if decision.communities is None else CommunityFilter(api, decision.communities)

    def _decide(self, admission: Admission, tool: Tool) -> Decision:
        return self.grants.decide(admission.principal, tool, admission.mode)

    def _caller(self, admission: Admission) -> Caller:
        principal = admission.principal
        bound = tuple(grant.community for grant in principal.grants if grant.community is not None)
        everywhere = len(bound) < len(principal.grants)
        return Caller(
            subject=principal.subject,
            organisation=principal.organisation,
            api_domain=admission.tenant.api_domain,
            roles=tuple(str(grant) for grant in principal.grants),
            credential=principal.kind,
            mode=admission.mode,
            expires_at=principal.expires_at,
            permissions=self.grants.permissions(principal),
            communities=None if everywhere else bound,
            organisation_name=self.upstream.names.find(admission.tenant),
        )

    def _late(self, writes: WriteLog) -> ToolError:
        message = f"The call took longer than {self.timeout_s:g} seconds and was given up."
        left = writes.summarise()
        if left is not None:
            hint = "Finish or undo with the calls in partial; calling again would create everything twice."
            return ToolError(Code.PARTIALLY_COMPLETED, message, hint, partial=left)
        hint = writes.advice or "Try again, or ask for less at once."
        return ToolError(Code.UPSTREAM_TIMEOUT, message, hint, retryable=writes.is_clean)

    @contextmanager
    def _record(self, case: CallContext) -> Iterator[None]:
        """Whatever ends the request inside, it is counted, traced and audited once, and leaves as a ToolError.

        Cancellation and UnknownTool leave as themselves, recorded all the same.
        """
        transport = case.asked.transport
        with self.telemetry.call(
            case.method, case.tool or "", transport=transport, carrier=case.asked.carrier
        ) as watched:
            self.under_way[transport] += 1
            try:
                yield
            except Exception as fault:
                case.code = choose_code(fault)
                if isinstance(fault, UnknownTool | ToolError):
                    raise
                raise build_error(fault, case.asked.request_id) from fault
            except BaseException:
                case.code = Code.CANCELLED
                raise
            finally:
                self.under_way[transport] -= 1
                watched.finish("refused" if case.code else "allowed", case.code and case.code.value)
                self.audit.write(case.line(watched.trace_id))
