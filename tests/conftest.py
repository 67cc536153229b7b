"""What every test shares."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.support import measurements
from tests.support.measurements import Figure
from tests.support.shared_stack import World, running

LONGEST = (
    "test_clients",
    "test_checks_matter",
    "test_sandbox_generated",
    "test_tenancy",
    "test_isolation",
    "test_token_properties",
    "test_panel",
)


@pytest.fixture
def anyio_backend() -> str:
    """The event loop that ships."""
    return "asyncio"


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Tell what was measured."""
    return partial(record_property, measurements.NAME)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """See pytest."""
    for figure in measurements.told(terminalreporter):
        terminalreporter.write_line(figure)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest go first, so that no process is left alone with one at the end.

    Raises:
        UsageError: two tests share an id; of those, only one would be run.
    """
    if len({item.nodeid for item in items}) < len(items):
        raise pytest.UsageError("Each test needs an id of its own.")
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """The embedded tenant and a server; at the end of the run, nothing it wrote may hold a secret."""
    with running() as here:
        yield here
        written = here.written()
    signatures = [token.rpartition(".")[2] for token in here.secrets()]
    leaked = [signature for signature in signatures if signature in written]
    assert not leaked, "the server wrote a token down"
