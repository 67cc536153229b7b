"""What can be seen of the server from outside: one span and one count per call and per request to a tenant."""

import time
from collections.abc import Container, Mapping
from types import TracebackType
from typing import Protocol, Self

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import make_asgi_app
from starlette.types import ASGIApp

from server.observability.metrics import Metrics, Read, Sample
from server.observability.tracing import Ids

_W3C = TraceContextTextMapPropagator()
_NOWHERE = context.Context()


class Watched(Protocol):
    """Something that takes time: enter it, say how it ended, leave it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None, /
    ) -> None: ...


class CallSpan(Watched, Protocol):
    """One MCP request that is decided on."""

    @property
    def trace_id(self) -> str | None:
        """32 hex digits, for the audit line."""
        ...

    def finish(self, verdict: str, code: str | None = None) -> None:
        """Say how it ended: `allowed` or `refused`, and the code unless it succeeded."""
        ...


class RequestSpan(Watched, Protocol):
    """One request to a tenant."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The W3C `traceparent` to send along."""
        ...

    def record_answer(self, status: int) -> None:
        """Say which HTTP status came; an attempt that is left without it counts as unanswered."""
        ...

    def record_fault(self, fault: str) -> None:
        """Say what kept the API's answer away, in a word of a closed list."""
        ...


class Telemetry(Protocol):
    """The port: `with telemetry.call(...)` around each call, `with telemetry.request(...)` around each request."""

    def call(self, method: str, tool: str = "", *, transport: str, carrier: Mapping[str, str] = {}) -> CallSpan:
        """Watch one MCP request.

        Parameters:
            method: the MCP method.
            tool: the tool's name as it came; empty for other methods.
            transport: http, sse or stdio.
            carrier: where the client's `traceparent` stands, if it sent one: `_meta` or the headers.
        """
        ...

    def request(self, method: str, template: str, host: str) -> RequestSpan:
        """Watch one request to a tenant: HTTP method, path as the API document writes it, host."""
        ...

    def sample(self, sample: Sample, read: Read) -> None:
        """Have a number that is kept elsewhere read at each scrape."""
        ...


class _NoSpan:
    trace_id = None
    headers: Mapping[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    finish = record_answer = record_fault = __exit__


class NoTelemetry:
    """Sees nothing and costs nothing."""

    _unwatched = _NoSpan()

    def call(self, *_: object, **__: object) -> CallSpan:
        """See `Telemetry.call`."""
        return self._unwatched

    def request(self, *_: object) -> RequestSpan:
        """See `Telemetry.request`."""
        return self._unwatched

    def sample(self, *_: object) -> None:
        """See `Telemetry.sample`."""


class _Span:
    """A span that is current while it is entered; names and attributes are those of the OpenTelemetry conventions."""

    __slots__ = ("_began", "_metrics", "_span", "_token")

    def __init__(self, metrics: Metrics, span: Span) -> None:
        self._metrics, self._span = metrics, span

    def __enter__(self) -> Self:
        self._token = context.attach(trace.set_span_in_context(self._span))
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self._count(time.perf_counter() - self._began)
        context.detach(self._token)
        self._span.end()

    def _count(self, seconds: float) -> None:
        raise NotImplementedError

    def _fail(self, error: str) -> None:
        self._span.set_attribute("error.type", error)
        self._span.set_status(StatusCode.ERROR)


class _ExportedCall(_Span):
    __slots__ = ("_code", "_method", "_tool", "_verdict")

    def __init__(self, metrics: Metrics, span: Span, method: str, tool: str) -> None:
        super().__init__(metrics, span)
        self._method, self._tool = method, tool
        self._verdict, self._code = "refused", "internal"

    @property
    def trace_id(self) -> str | None:
        """See `Call.trace_id`."""
        return trace.format_trace_id(self._span.get_span_context().trace_id)

    def finish(self, verdict: str, code: str | None = None) -> None:
        """See `Call.finished`."""
        self._verdict, self._code = verdict, code or "ok"

    def _count(self, seconds: float) -> None:
        self._metrics.count_call(self._method, self._tool, self._verdict, self._code, seconds)
        if self._code != "ok":
            self._fail(self._code)


class _ExportedRequest(_Span):
    """Never current: nothing is watched inside it, and making it so would cost as much as all the rest."""

    __slots__ = ("_method", "_status")

    def __init__(self, metrics: Metrics, span: Span, method: str) -> None:
        super().__init__(metrics, span)
        self._method = method
        self._status: int | None = None

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self._count(time.perf_counter() - self._began)
        self._span.end()

    @property
    def headers(self) -> Mapping[str, str]:
        """See `RequestSpan.headers`."""
        ids = self._span.get_span_context()
        return {"traceparent": f"00-{ids.trace_id:032x}-{ids.span_id:016x}-{ids.trace_flags:02x}"}

    def record_fault(self, fault: str) -> None:
        """See `RequestSpan.record_fault`."""
        self._metrics.record_fault(fault)
        self._span.set_attribute("nudj.fault", fault)

    def record_answer(self, status: int) -> None:
        """See `RequestSpan.record_answer`."""
        self._status = status

    def _count(self, seconds: float) -> None:
        self._metrics.count_request(self._method, self._status, seconds)
        if self._status is not None:
            self._span.set_attribute("http.response.status_code", self._status)
        if self._status is None or self._status >= 400:
            self._fail(str(self._status or "unanswered"))


class PrometheusTelemetry:
    """Counts into a registry of its own and traces with the tracer given.

    Parameters:
        tools: the names of the catalogue.
        tracer: `server.traces.exporting` makes one that sends; without one calls still carry trace ids.
    """

    def __init__(self, tools: Container[str], tracer: Tracer | None = None) -> None:
        self._metrics = Metrics(tools)
        self._tracer = tracer or Ids()

    def call(self, method: str, tool: str = "", *, transport: str, carrier: Mapping[str, str] = {}) -> CallSpan:
        """See `Telemetry.call`."""
        parent = _W3C.extract(carrier, _NOWHERE) if "traceparent" in carrier else _NOWHERE
        named = self._metrics.get_label(tool)
        attributes = {"mcp.method.name": method, "network.transport": "pipe" if transport == "stdio" else "tcp"}
        if tool:
            attributes |= {"gen_ai.tool.name": named, "gen_ai.operation.name": "execute_tool"}
        span = self._tracer.start_span(f"{method} {named}".rstrip(), parent, SpanKind.SERVER, attributes)
        return _ExportedCall(self._metrics, span, method, named)

    def request(self, method: str, template: str, host: str) -> RequestSpan:
        """See `Telemetry.request`."""
        attributes = {"http.request.method": method, "url.template": template, "server.address": host}
        span = self._tracer.start_span(f"{method} {template}", None, SpanKind.CLIENT, attributes)
        return _ExportedRequest(self._metrics, span, method)

    def sample(self, sample: Sample, read: Read) -> None:
        """See `Telemetry.sample`."""
        self._metrics.samples.add(sample, read)

    def metrics_app(self) -> ASGIApp:
        """The Prometheus page; serve it on a loopback port of its own, never beside `/mcp`."""
        return make_asgi_app(self._metrics.registry)
