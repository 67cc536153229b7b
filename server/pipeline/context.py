"""One request as it is known so far: what was asked, who turned out to ask, how it ended. It becomes the audit line."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal

from server.credentials.parsing import PresentedCredentials
from server.observability.audit import AuditLine
from server.pipeline.authentication import Admission
from server.upstream.tenant_api import Progress
from server.upstream.write_log import WriteLog
from tools.refusals import RULES, Code

_ids = random.Random()  # noqa: S311 - ids tell requests apart, they guard nothing

Transport = Literal["http", "sse", "stdio"]


def new_request_id() -> str:
    """A new one: 32 hex digits."""
    return f"{_ids.getrandbits(128):032x}"


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One request, whatever carried it.

    Parameters:
        presented: the credentials that came with this very request.
        request_id: ours: in the envelope, the audit line and the x-request-id of what goes upstream.
        carrier: where the client's W3C trace context stands, if it sent one.
        progress: where progress goes, if the client asked for it.
    """

    presented: PresentedCredentials
    transport: Transport
    request_id: str
    carrier: Mapping[str, str] = field(default_factory=dict)
    progress: Progress | None = None


@dataclass(slots=True)
class CallContext:
    """What is known of one request so far.

    It keeps the code of a refusal and not the refusal: whose traceback leads to the frames that hold the case, and so
    every refused call would be left for the garbage collector, whose pauses are felt by everybody.
    """

    asked: CallRequest
    method: str
    tool: str | None = None
    effect: str | None = None
    shape: Mapping[str, Any] | None = None
    admission: Admission | None = None
    code: Code | None = None
    writes: WriteLog = field(default_factory=WriteLog)
    started: float = field(default_factory=perf_counter)

    def line(self, trace_id: str | None) -> AuditLine:
        """The record of how it ended."""
        principal = self.admission and self.admission.principal
        return AuditLine(
            request_id=self.asked.request_id,
            trace_id=trace_id,
            transport=self.asked.transport,
            method=self.method,
            subject=principal.subject if principal else None,
            token_id=principal.token_id if principal else None,
            organisation=principal.organisation if principal else None,
            domain=self._domain(),
            tool=self.tool,
            effect=self.effect,
            verdict="refused" if self.code else "allowed",
            code=self.code and self.code.value,
            status=RULES[self.code].status if self.code else 200,
            ms=round((perf_counter() - self.started) * 1000, 3),
            shape=self.shape,
            writes=self.writes.describe(),
        )

    def _domain(self) -> str | None:
        if self.admission is not None:
            return self.admission.tenant.api_domain
        presented = self.asked.presented
        return ", ".join(presented.domain) or presented.path
