"""What is counted, under which names: few labels, each from a closed list, none of them a tenant or a person."""

from collections.abc import Callable, Container, Iterator
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_METHODS = frozenset({"tools/call", "tools/list", "prompts/get", "prompts/list", "resources/read", "resources/list"})


class Sample(StrEnum):
    """Numbers that other modules keep anyway and that are read when the page is asked for."""

    AUDIT_LOST = "nudj_audit_lines_lost_total"
    VERDICT_HITS = "nudj_verdict_cache_hits_total"
    VERDICT_MISSES = "nudj_verdict_cache_misses_total"
    KEY_SET_REFRESHES = "nudj_key_set_refreshes_total"
    BREAKERS_OPEN = "nudj_breakers_open"
    STREAMS_OPEN = "nudj_streams_open"
    INTROSPECTIONS = "nudj_oauth_introspections_total"
    TOKEN_EXCHANGES = "nudj_oauth_token_exchanges_total"
    TOKEN_EXCHANGE_HITS = "nudj_oauth_token_exchange_hits_total"


_HELP = {
    Sample.AUDIT_LOST: "Audit lines that no sink took.",
    Sample.VERDICT_HITS: "Tokens whose verdict was cached.",
    Sample.VERDICT_MISSES: "Tokens that had to be verified.",
    Sample.KEY_SET_REFRESHES: "Fetches of the key set.",
    Sample.BREAKERS_OPEN: "Tenant hosts that are not called for now.",
    Sample.STREAMS_OPEN: "SSE streams held open.",
    Sample.INTROSPECTIONS: "OAuth tokens that the authorization server was asked about.",
    Sample.TOKEN_EXCHANGES: "OAuth tokens exchanged for one of the tenant's API.",
    Sample.TOKEN_EXCHANGE_HITS: "Requests to tenants that an exchanged token was kept for.",
}

Read = Callable[[], float]


class Samples(Collector):
    """Reads the sampled numbers at the moment of the scrape."""

    def __init__(self) -> None:
        self._reads: dict[Sample, Read] = {}

    def add(self, sample: Sample, read: Read) -> None:
        """Have `read` called at each scrape; the last one added under a name counts."""
        self._reads[sample] = read

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client's `Collector.collect`."""
        for sample, read in self._reads.items():
            family = CounterMetricFamily if sample.endswith("_total") else GaugeMetricFamily
            yield family(sample.value, _HELP[sample], value=read())


class Metrics:
    """The registry of one server and the three things it counts itself.

    Parameters:
        tools: the names of the catalogue; any other name is counted as `other`.
    """

    def __init__(self, tools: Container[str]) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.samples = Samples()
        self._tools = tools
        self._calls = Counter(
            "nudj_calls", "Decisions made.", ("method", "tool", "verdict", "code"), registry=self.registry
        )
        self._call_seconds = Histogram(
            "mcp_server_operation_duration_seconds",
            "From arrival to answer.",
            ("mcp_method_name", "gen_ai_tool_name"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._upstream_seconds = Histogram(
            "http_client_request_duration_seconds",
            "Requests to tenants, by method and class of the status.",
            ("http_request_method", "http_response_status_class"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._upstream_faults = Counter(
            "nudj_upstream_faults",
            "Requests to tenants that the API did not answer, by what kept its answer away.",
            ("fault",),
            registry=self.registry,
        )
        self._counters: dict[tuple[str, str, str, str], Counter] = {}
        self._histograms: dict[tuple[str, str], Histogram] = {}
        self.registry.register(self.samples)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def get_label(self, tool: str) -> str:
        """The tool's name if it is one of ours; what else a client may write is `other`."""
        return tool if not tool or tool in self._tools else "other"

    def count_call(self, method: str, tool: str, verdict: str, code: str, seconds: float) -> None:
        """Count one decision; children are kept because finding one by label costs more than counting."""
        method, tool = method if method in _METHODS else "other", self.get_label(tool)
        counted, timed = (method, tool, verdict, code), (method, tool)
        if (counter := self._counters.get(counted)) is None:
            counter = self._counters[counted] = self._calls.labels(*counted)
        if (histogram := self._histograms.get(timed)) is None:
            histogram = self._histograms[timed] = self._call_seconds.labels(*timed)
        counter.inc()
        histogram.observe(seconds)

    def count_request(self, method: str, status: int | None, seconds: float) -> None:
        """Count one request to a tenant; `status` is None when no answer came."""
        timed = (method, "none" if status is None else f"{status // 100}xx")
        if (histogram := self._histograms.get(timed)) is None:
            histogram = self._histograms[timed] = self._upstream_seconds.labels(*timed)
        histogram.observe(seconds)

    def record_fault(self, fault: str) -> None:
        """Count one request that the tenant's API did not answer; `fault` is from a closed list."""
        self._upstream_faults.labels(fault).inc()
