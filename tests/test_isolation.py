"""One organisation slow, dead or flooding: the others are answered as if it were not there."""

from collections.abc import Iterator

import pytest

from tests.support.hosted_server import Hosted, hosted
from tests.support.measurements import Figure
from tests.support.neighbour_latency import measure

REFUSED = {
    "slow": {"upstream_timeout", "upstream_unavailable", "rate_limited"},
    "dead": {"upstream_unavailable", "rate_limited"},
    "flooding": {"ok", "rate_limited"},
}
"""What the neighbour's own callers may see: budget, bulkhead and circuit at work."""


@pytest.fixture(name="here", scope="module")
def _here() -> Iterator[Hosted]:
    with hosted() as found:
        yield found


@pytest.mark.parametrize("trouble", REFUSED)
async def test_a_neighbour_in_trouble_costs_the_others_nothing_that_shows(
    here: Hosted, trouble: str, figure: Figure
) -> None:
    """The bound here holds on any machine, however noisy; `python -m bench.isolation` measures against 20 %."""
    found = await measure(here, trouble, rounds=3, round_s=1.5)
    figure(f"{trouble}: {found}")
    assert set(found.own.codes) == {"ok"}
    assert set(found.neighbour.codes) <= REFUSED[trouble]
    assert set(found.neighbour.codes) != {"ok"}
    assert found.beside_p50 < 3 * found.alone_p50 + 20
