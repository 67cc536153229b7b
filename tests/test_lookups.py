"""A name whose servers are silent keeps no other name waiting."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator

import anyio
import pytest

from server.http.lookups import Addresses, Lookups, resolve_by_system


class Names:
    """A resolver: `silent-*` waits until the test is over, `unknown` is unknown, all else is this machine."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.over = threading.Event()

    def __call__(self, host: str) -> Addresses:
        self.asked[host] += 1
        if host.startswith("silent"):
            self.over.wait(30)
        if host == "unknown":
            raise OSError("no such name")
        return ("127.0.0.1",)


@pytest.fixture
def names() -> Iterator[Names]:
    resolver = Names()
    yield resolver
    resolver.over.set()


async def test_silent_names_keep_no_other_waiting_and_each_is_asked_for_once(names: Names) -> None:
    lookups = Lookups(names)
    async with anyio.create_task_group() as tasks:
        for number in range(400):
            tasks.start_soon(lookups.addresses, f"silent-{number % 20}")
        await anyio.sleep(0.05)
        with anyio.fail_after(5):
            assert await lookups.addresses("good") == ("127.0.0.1",)
        assert {names.asked[f"silent-{number}"] for number in range(20)} == {1}
        tasks.cancel_scope.cancel()


async def test_who_stops_waiting_stops_for_itself_alone(names: Names) -> None:
    lookups = Lookups(names)
    async with anyio.create_task_group() as tasks:
        with anyio.move_on_after(0.05) as first:
            await lookups.addresses("silent")
        assert first.cancelled_caught

        async def second() -> None:
            assert await lookups.addresses("silent") == ("127.0.0.1",)

        tasks.start_soon(second)
        await anyio.sleep(0.05)
        names.over.set()
    assert names.asked["silent"] == 1


async def test_no_more_are_asked_for_at_a_time_than_told(names: Names) -> None:
    lookups = Lookups(names, at_once=2)
    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(lookups.addresses, f"silent-{number}")
        await anyio.sleep(0.05)
        assert names.asked.total() == 2
        names.over.set()
    assert names.asked.total() == 5


async def test_an_answer_is_kept_for_its_time_and_a_failure_is_not(names: Names) -> None:
    lookups = Lookups(names, kept_s=0.2)
    for _ in range(3):
        await lookups.addresses("good")
        with pytest.raises(OSError, match="no such name"):
            await lookups.addresses("unknown")
    assert names.asked == {"good": 1, "unknown": 3}
    await anyio.sleep(0.25)
    await lookups.addresses("good")
    assert names.asked["good"] == 2


async def test_only_so_many_are_remembered(names: Names) -> None:
    lookups = Lookups(names, size=2)
    for host in ("a", "b", "c", "a"):
        await lookups.addresses(host)
    assert names.asked == {"a": 2, "b": 1, "c": 1}


async def test_the_end_waits_for_no_answer(names: Names) -> None:
    lookups = Lookups(names)
    waiting = asyncio.create_task(lookups.addresses("silent"))
    await anyio.sleep(0.05)
    lookups.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_the_machines_own_resolver_is_asked() -> None:
    assert "127.0.0.1" in resolve_by_system("localhost")
    with pytest.raises((OSError, UnicodeError)):
        resolve_by_system("a" * 70)
