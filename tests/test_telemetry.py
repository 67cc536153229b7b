"""Telemetry: calls and requests are counted and traced under few, closed labels, and cheaply."""

import re
import time
from collections.abc import Sequence

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode

from server.observability.metrics import Sample
from server.observability.telemetry import NoTelemetry, PrometheusTelemetry, Telemetry

TRACE = "0af7651916cd43dd8448eb211c80319c"
CARRIER = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}


class Kept(SpanExporter):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.SUCCESS


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def traced(kept: Kept) -> PrometheusTelemetry:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    return PrometheusTelemetry({"list_challenges"}, provider.get_tracer("test"))


async def page(telemetry: PrometheusTelemetry) -> str:
    transport = httpx.ASGITransport(app=telemetry.metrics_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return (await client.get("/metrics")).text


def a_call(telemetry: Telemetry, tool: str = "list_challenges", code: str | None = None) -> None:
    with telemetry.call("tools/call", tool, transport="http") as call:
        with telemetry.request("GET", "/challenges/{id}", "acme.nudj.cx") as request:
            request.record_answer(200)
        call.finish("refused" if code else "allowed", code)


async def test_a_call_is_counted_by_tool_verdict_and_code() -> None:
    on = PrometheusTelemetry({"list_challenges"})
    a_call(on)
    a_call(on)
    a_call(on, code="role_denied")
    text = await page(on)
    counted = 'nudj_calls_total{code="%s",method="tools/call",tool="list_challenges",verdict="%s"} %s'
    assert counted % ("ok", "allowed", "2.0") in text
    assert counted % ("role_denied", "refused", "1.0") in text
    timed = (
        'mcp_server_operation_duration_seconds_count{gen_ai_tool_name="list_challenges",mcp_method_name="tools/call"}'
    )
    assert f"{timed} 3.0" in text


async def test_a_thousand_invented_names_are_one_label() -> None:
    on = PrometheusTelemetry({"list_challenges"})
    for number in range(1000):
        a_call(on, f"invented_{number}", "internal")
        with on.call(f"method/{number}", transport="http") as call:
            call.finish("refused", "internal")
    text = await page(on)
    assert "invented_" not in text
    assert "method/" not in text
    assert len(re.findall(r"^nudj_calls_total", text, re.MULTILINE)) == 2


async def test_no_label_names_a_tenant_a_host_or_a_person() -> None:
    on = PrometheusTelemetry({"list_challenges"})
    a_call(on)
    labels = set(re.findall(r'[{,](\w+)="', await page(on)))
    assert labels <= {
        "method", "tool", "verdict", "code", "le", "generation",
        "mcp_method_name", "gen_ai_tool_name", "http_request_method", "http_response_status_class",
    }  # fmt: skip


async def test_a_request_is_counted_by_class_of_status() -> None:
    on = PrometheusTelemetry(())
    for status in (200, 204, 404):
        with on.request("GET", "/x", "a") as request:
            request.record_answer(status)
    with pytest.raises(TimeoutError), on.request("GET", "/x", "a"):
        raise TimeoutError
    text = await page(on)
    for kind, times in (("2xx", 2), ("4xx", 1), ("none", 1)):
        assert f'http_response_status_class="{kind}"}} {times}.0' in text


async def test_numbers_kept_elsewhere_are_read_at_the_scrape() -> None:
    on = PrometheusTelemetry(())
    lost = [3]
    on.sample(Sample.AUDIT_LOST, lambda: lost[0])
    on.sample(Sample.BREAKERS_OPEN, lambda: 1)
    assert "nudj_audit_lines_lost_total 3.0" in await page(on)
    lost[0] = 4
    text = await page(on)
    assert "nudj_audit_lines_lost_total 4.0" in text
    assert "nudj_breakers_open 1.0" in text


def test_a_call_and_its_request_are_two_spans_with_the_conventions_names(
    traced: PrometheusTelemetry, kept: Kept
) -> None:
    a_call(traced)
    request, call = kept.spans
    assert (call.name, call.kind) == ("tools/call list_challenges", SpanKind.SERVER)
    assert dict(call.attributes or {}) == {
        "mcp.method.name": "tools/call",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "list_challenges",
        "network.transport": "tcp",
    }
    assert (request.name, request.kind) == ("GET /challenges/{id}", SpanKind.CLIENT)
    assert dict(request.attributes or {}) == {
        "http.request.method": "GET",
        "url.template": "/challenges/{id}",
        "server.address": "acme.nudj.cx",
        "http.response.status_code": 200,
    }
    assert request.parent is not None
    assert request.parent.span_id == call.context.span_id


def test_a_refused_call_is_a_failed_span_with_its_code(traced: PrometheusTelemetry, kept: Kept) -> None:
    a_call(traced, code="role_denied")
    assert (kept.spans[1].attributes or {})["error.type"] == "role_denied"
    assert kept.spans[1].status.status_code is StatusCode.ERROR


def test_a_call_that_broke_is_counted_as_internal(traced: PrometheusTelemetry, kept: Kept) -> None:
    with pytest.raises(ValueError, match="boom"), traced.call("tools/call", "list_challenges", transport="http"):
        raise ValueError("boom")
    assert (kept.spans[0].attributes or {})["error.type"] == "internal"


@pytest.mark.parametrize("recording", [True, False])
def test_the_clients_trace_goes_on_to_the_tenant(traced: PrometheusTelemetry, recording: bool) -> None:
    on = traced if recording else PrometheusTelemetry(())
    with on.call("tools/call", "x", transport="http", carrier=CARRIER) as call, on.request("GET", "/", "a") as request:
        version, trace_id, span_id, flags = request.headers["traceparent"].split("-")
    assert call.trace_id == trace_id == TRACE
    assert (version, flags) == ("00", "01")
    assert span_id != "b7ad6b7169203331"


@pytest.mark.parametrize("sent", ["", "x" * 10_000, f"00-{'0' * 32}-{'1' * 16}-01", f"00-{TRACE}-\n-01"])
def test_a_malformed_trace_is_replaced_by_one_of_our_own(sent: str) -> None:
    with PrometheusTelemetry(()).call("tools/call", "x", transport="http", carrier={"traceparent": sent}) as call:
        assert re.fullmatch("[0-9a-f]{32}", call.trace_id or "")
        assert call.trace_id not in (TRACE, "0" * 32)


def test_calls_at_the_same_time_keep_their_own_traces() -> None:
    on = PrometheusTelemetry(())
    with on.call("tools/call", "x", transport="http") as outer:
        with on.call("tools/call", "x", transport="http") as inner:
            pass
        with on.request("GET", "/", "a") as request:
            pass
    assert outer.trace_id != inner.trace_id
    assert (outer.trace_id or "missing") in request.headers["traceparent"]


def test_off_sees_nothing_and_breaks_nothing() -> None:
    off = NoTelemetry()
    a_call(off)
    off.sample(Sample.AUDIT_LOST, lambda: 0)
    with off.call("tools/call", transport="stdio") as call, off.request("GET", "/", "a") as request:
        assert call.trace_id is None
        assert request.headers == {}


def test_watching_costs_tens_of_microseconds_at_most() -> None:
    on = PrometheusTelemetry({"list_challenges"})
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(100):
            a_call(on)
        best = min(best, (time.perf_counter() - began) / 100)
    assert best < 50e-6
