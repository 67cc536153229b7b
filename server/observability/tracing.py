"""Which call belongs to which: W3C trace ids for every call, and OpenTelemetry spans where an SDK is installed."""

import random
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, Tracer

from server import __version__

_ids = random.Random()  # noqa: S311 - ids tell calls apart, they guard nothing


class Ids(trace.NoOpTracer):
    """The tracer used when no SDK is: records nothing, yet gives each call ids that audit, logs and tenants share."""

    def start_span(self, name: str, context: Context | None = None, *_: Any, **__: Any) -> Span:  # noqa: ARG002 - theirs
        """A span that is only its ids; the trace is the caller's when one came."""
        parent = trace.get_current_span(context).get_span_context()
        trace_id = parent.trace_id if parent.is_valid else _ids.getrandbits(128) or 1
        flags = parent.trace_flags if parent.is_valid else TraceFlags(TraceFlags.DEFAULT)
        return NonRecordingSpan(SpanContext(trace_id, _ids.getrandbits(64) or 1, is_remote=False, trace_flags=flags))


def build_exporter() -> Tracer:
    """A tracer that sends spans by OTLP to where the standard OTEL_EXPORTER_OTLP_* variables say.

    Raises:
        ValueError: the extra `telemetry` is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above
    except ImportError:
        raise ValueError("sending spans needs the extra: pip install 'nudj-mcp[telemetry]'") from None
    about = {SERVICE_NAME: "nudj-mcp", SERVICE_VERSION: __version__}
    provider = TracerProvider(resource=Resource.create(about))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("nudj-mcp")
