"""How long a stream may stay: a caller's while it is used, a stranger's for a moment, whatever the stranger says."""

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import anyio
import pytest

from server.assembly import deploy, load_files
from server.protocol.handlers import Protocol
from server.serving.catalogue import WHOLE
from server.serving.listener import bind, listen, read_port
from server.transports.http import Health, HttpOptions, build_app, read_request
from server.transports.sse import StreamLimits
from tests.support.raw_clients import Stream, streaming
from tests.support.shared_stack import Kept, World

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """The SDK leaves the insides of a stream that was cut off to the collector, which is no other test's matter."""
    yield
    gc.collect()


@asynccontextmanager
async def impatient(world: World, caps: StreamLimits) -> AsyncIterator[str]:
    """A server with patience of another size; gives its origin."""
    settings = world.local.settings
    async with deploy(settings, load_files(settings), WHOLE, Kept()) as deployment:
        server = Protocol(deployment.calls, deployment.references, read_request).server()
        whole = build_app(
            server, deployment.gate.refusal, HttpOptions(caps=caps), Health(deployment.ready), deployment.calls
        )
        with bind("127.0.0.1", 0) as port:
            async with listen(whole, port, grace_s=1.0):
                yield f"http://127.0.0.1:{read_port(port)}"


async def lasted(stream: Stream, at_most_s: float, *, talking: bool) -> float:
    """Seconds until the stream ended by itself, silent or with a ping every tenth of a second."""
    began = anyio.current_time()
    number = 0
    with anyio.fail_after(at_most_s):
        while not stream.ended.is_set():
            number += 1
            if talking:
                await stream.send({"jsonrpc": "2.0", "id": number, "method": "ping"}, ())
            await anyio.sleep(0.1)
    return anyio.current_time() - began


async def test_a_stranger_hears_what_is_wrong_and_is_shown_out_however_much_it_says(world: World) -> None:
    async with impatient(world, StreamLimits(stranger_s=0.6, idle_s=30.0)) as origin:
        for talking in (False, True):
            async with streaming(origin, world.headers("expired")) as stream:
                assert (await stream.call("check_connection", {})).code == "token_expired"
                assert await lasted(stream, 2.0, talking=talking) < 1.2


async def test_a_caller_stays_while_it_speaks_and_leaves_when_it_is_silent(world: World) -> None:
    async with (
        impatient(world, StreamLimits(stranger_s=0.1, idle_s=0.6)) as origin,
        streaming(origin, world.headers("viewer")) as stream,
    ):
        await stream.ask("ping")
        with anyio.move_on_after(1.5) as all_the_while:
            await lasted(stream, 10.0, talking=True)
        assert all_the_while.cancelled_caught
        assert 0.3 < await lasted(stream, 2.0, talking=False) < 1.2
