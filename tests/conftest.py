"""What every test shares."""

from collections.abc import Iterator

import pytest

from tests.world import World, running


@pytest.fixture
def anyio_backend() -> str:
    """The event loop that ships."""
    return "asyncio"


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """The embedded tenant and a server; at the end of the run, nothing it wrote may hold a secret."""
    with running() as here:
        yield here
        written = here.written()
    signatures = [token.rpartition(".")[2] for token in here.secrets()]
    leaked = [signature for signature in signatures if signature in written]
    assert not leaked, "the server wrote a token down"
