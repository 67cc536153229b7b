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

from server.metrics import Metrics, Read, Sample
from server.traces import Ids

_W3C = TraceContextTextMapPropagator()
_NOWHERE = context.Context()


class Watched(Protocol):
    """Something that takes time: enter it, say how it ended, leave it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None, /
    ) -> None: ...


class Call(Watched, Protocol):
    """One MCP request that is decided on."""

    @property
    def trace_id(self) -> str | None:
        """32 hex digits, for the audit line."""
        ...

    def finished(self, verdict: str, code: str | None = None) -> None:
        """Say how it ended: `allowed` or `refused`, and the code unless it succeeded."""
        ...


class Request(Watched, Protocol):
    """One request to a tenant."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The W3C `traceparent` to send along."""
        ...

    def answered(self, status: int) -> None:
        """Say which HTTP status came; an attempt that is left without it counts as unanswered."""
        ...


class Telemetry(Protocol):
    """The port: `with telemetry.call(...) as call:` around a call, `with telemetry.request(...)` around each request."""

    def call(self, method: str, tool: str = "", *, transport: str, carrier: Mapping[str, str] = {}) -> Call:
        """Watch one MCP request.

        Parameters:
            method: the MCP method.
            tool: the tool's name as it came; empty for other methods.
            transport: http, sse or stdio.
            carrier: where the client's `traceparent` stands, if it sent one: `_meta` or the headers.
        """
        ...

    def request(self, method: str, template: str, host: str) -> Request:
        """Watch one request to a tenant: HTTP method, path as the API document writes it, host."""
        ...

    def sample(self, sample: Sample, read: Read) -> None:
        """Have a number that is kept elsewhere read at each scrape."""
        ...


class _Unwatched:
    trace_id = None
    headers: Mapping[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def finished(self, verdict: str, code: str | None = None) -> None:
        return

    def answered(self, status: int) -> None:
        return


class Off:
    """Sees nothing and costs nothing."""

    _unwatched = _Unwatched()

    def call(self, method: str, tool: str = "", *, transport: str, carrier: Mapping[str, str] = {}) -> Call:
        """See `Telemetry.call`."""
        return self._unwatched

    def request(self, method: str, template: str, host: str) -> Request:
        """See `Telemetry.request`."""
        return self._unwatched

    def sample(self, sample: Sample, read: Read) -> None:
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

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._count(time.perf_counter() - self._began, kind)
        context.detach(self._token)
        self._span.end()

    def _count(self, seconds: float, kind: type[BaseException] | None) -> None:
        raise NotImplementedError

    def _failed(self, error: str) -> None:
        self._span.set_attribute("error.type", error)
        self._span.set_status(StatusCode.ERROR)
