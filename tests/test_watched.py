"""A served process is seen from outside: its metrics page, its spans and its audit lines tell the same story."""

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import anyio
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.hosted_server import Hosted, hosted
from tests.support.raw_clients import speaking
from tests.support.replicas import free_port, replicas

TRACE = "0af7651916cd43dd8448eb211c80319c"


@dataclass
class Collector:
    """An OTLP collector that keeps what comes: (name, trace id) of every span."""

    port: int
    spans: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = ExportTraceServiceRequest()
            asked.ParseFromString(self.rfile.read(int(self.headers["content-length"])))
            for resource in asked.resource_spans:
                for scope in resource.scope_spans:
                    collector.spans += [(span.name, span.trace_id.hex()) for span in scope.spans]
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield collector
        finally:
            server.shutdown()


@dataclass
class Watched:
    """The server, where its metrics page is, and everything it has told."""

    server: Hosted
    metrics_port: int
    audit: Path
    collector: Collector

    def page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())


@pytest.fixture(name="watched", scope="module")
def _watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    audit, port = tmp_path_factory.mktemp("audit") / "audit.jsonl", free_port()
    with collecting() as collector, hosted() as first:
        told = {
            "NUDJ_MCP_METRICS_PORT": str(port),
            "NUDJ_MCP_AUDIT_FILE": str(audit),
            "NUDJ_MCP_TRACES": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        with replicas(first, 1, **told) as (server,):
            yield Watched(server, port, audit, collector)


async def test_one_call_is_told_alike_by_metrics_spans_and_audit(watched: Watched) -> None:
    headers = {**watched.server.headers(), "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    async with speaking(watched.server.origin) as http:
        for _ in range(3):
            assert (await http.call("list_challenges", {"limit": 1}, headers=headers)).code == "ok"
        viewer = watched.server.headers("viewer")
        refused = await http.call("create_tag", {"name": "x"}, headers=viewer)
    assert refused.code == "role_denied"

    page = watched.page()
    counted = 'nudj_calls_total{code="%s",method="tools/call",tool="%s",verdict="%s"} %s'
    assert counted % ("ok", "list_challenges", "allowed", "3.0") in page
    assert counted % ("role_denied", "create_tag", "refused", "1.0") in page
    assert "nudj_verdict_cache_misses_total 2.0" in page
    assert re.search(r"nudj_verdict_cache_hits_total [1-9]", page)
    assert re.search(r"nudj_key_set_refreshes_total [1-9]", page)
    assert 'http_response_status_class="2xx"} 3.0' in page
    for name in ("nudj_breakers_open", "nudj_streams_open", "nudj_audit_lines_lost_total"):
        assert f"{name} 0.0" in page
    assert "process_resident_memory_bytes" in page

    await anyio.sleep(1)
    lines = [json.loads(line) for line in watched.audit.read_text().splitlines()]
    assert [line["code"] for line in lines] == [None, None, None, "role_denied"]
    assert {line["trace_id"] for line in lines[:3]} == {TRACE}
    mine = [name for name, trace in watched.collector.spans if trace == TRACE]
    assert sorted(mine) == ["GET /challenges"] * 3 + ["tools/call list_challenges"] * 3
    assert ("tools/call create_tag", lines[3]["trace_id"]) in watched.collector.spans


def test_the_metrics_page_is_not_on_the_port_that_clients_use(watched: Watched) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{watched.server.origin}/metrics", timeout=5)
    assert refused.value.code == 404
    refused.value.close()


def test_no_token_tenant_or_person_is_on_the_metrics_page(watched: Watched) -> None:
    page = watched.page()
    assert "eyJ" not in page
    assert "acme" not in page
    assert watched.server.organisations["acme"]["id"] not in page
