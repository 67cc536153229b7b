"""What the benchmark compares is the same on both sides, and its verdict is arithmetic."""

from bench import peer, report
from bench.product import TOOLS
from bench.rounds import Measured
from bench.tenant import communities, last_id
from bench.wires import WIRES


def test_both_servers_offer_the_same_twenty_operations() -> None:
    ours = {operation.id for tool in TOOLS for operation in tool.operations}
    assert len(TOOLS) == len(ours) == 20
    for lean in (True, False):
        paths = peer.document(lean=lean)["paths"].values()
        assert {said["operationId"] for item in paths for said in item.values() if isinstance(said, dict)} == ours


def measured(server: str, wire: str | None, concurrency: int, p50: float, per_second: float) -> Measured:
    return Measured(server, wire, concurrency, p50, 0, per_second, 0, 0)


def test_a_promise_is_kept_only_when_both_halves_are() -> None:
    def kept(p50: float, per_second: float) -> list[bool]:
        rows = [measured("tenant", None, 1, 100, 0)]
        for wire in WIRES:
            rows += [measured("FastMCP", wire, 1, 4100, 0), measured("FastMCP", wire, 16, 0, 200)]
            rows += [measured("nudj-mcp", wire, 1, p50, 0), measured("nudj-mcp", wire, 16, 0, per_second)]
        return [ratio.kept for ratio in report.ratios(rows)]

    assert kept(1100, 1600) == [True, True]
    assert kept(1101, 1600) == [False, False]
    assert kept(1100, 1599) == [False, False]


def test_the_tenant_answers_with_five_kilobytes() -> None:
    body = communities("a" * 24)
    assert 4_500 <= len(body) <= 5_000
    assert last_id(body).encode() in body[-600:]
