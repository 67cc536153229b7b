"""Shared state: one contract for both kinds of store, and what Redis being away means."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import anyio
import pytest

from server.state.in_process import InProcess
from server.state.redis_store import Redis
from server.state.store import Bucket, Store, StoreDown


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(name="server")
def _server() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", ""], stdout=subprocess.DEVNULL
    ) as process:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield process, port
        process.kill()


@pytest.fixture(name="url")
def _url(server: tuple[subprocess.Popen[bytes], int]) -> str:
    return f"redis://127.0.0.1:{server[1]}/0"


@pytest.fixture(name="store", params=["in process", "redis"])
async def _store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "in process":
        yield InProcess()
        return
    async with Redis(request.getfixturevalue("url"), patience_s=5.0) as store:
        yield store


async def test_a_key_is_claimed_once(store: Store) -> None:
    assert [await store.claim("org:a", 60), await store.claim("org:a", 60), await store.claim("org:b", 60)] == [
        True,
        False,
        True,
    ]


async def test_a_claim_can_be_made_again_after_its_time_or_when_dropped(store: Store) -> None:
    await store.claim("org:a", 0.05)
    await store.claim("org:b", 60)
    await store.release("org:b", b"")
    await anyio.sleep(0.1)
    assert await store.claim("org:a", 60)
    assert await store.claim("org:b", 60)


async def test_a_hundred_claims_at_once_give_one_winner(store: Store) -> None:
    won: list[bool] = []

    async def claim() -> None:
        won.append(await store.claim("org:raced", 60))

    async with anyio.create_task_group() as racing:
        for _ in range(100):
            racing.start_soon(claim)
    assert won.count(True) == 1


async def test_values_are_kept_for_their_time(store: Store) -> None:
    await store.put("org:a", b"\x00one", 60)
    await store.put("org:b", b"two", 0.05)
    await anyio.sleep(0.1)
    assert [await store.get("org:a"), await store.get("org:b"), await store.get("org:c")] == [b"\x00one", None, None]


async def test_a_bucket_gives_its_burst_and_then_its_rate(store: Store) -> None:
    bucket = Bucket("org:calls", rate_per_s=10, burst=5)
    taken = [await store.take(bucket) for _ in range(6)]
    assert taken[:5] == [0.0] * 5
    assert 0 < taken[5] <= 0.1
    await anyio.sleep(taken[5] + 0.02)
    assert await store.take(bucket) == 0.0


async def test_an_empty_bucket_costs_the_others_nothing(store: Store) -> None:
    small, large = Bucket("org:small", 0.01, 1), Bucket("org:large", 0.01, 2)
    assert await store.take(small, large) == 0.0
    for _ in range(5):
        assert await store.take(small, large) > 0
    assert await store.take(large) == 0.0


async def test_a_revoked_token_is_known(store: Store) -> None:
    assert not await store.is_revoked("one")
    await store.revoke("one", int(time.time()) + 60)
    assert await store.is_revoked("one")
    assert not await store.is_revoked("two")


async def test_every_replica_knows_a_revocation_within_two_seconds(url: str) -> None:
    async with Redis(url, patience_s=5.0) as here, Redis(url, patience_s=5.0) as there:
        assert not await there.is_revoked("one")
        await here.revoke("one", int(time.time()) + 60)
        began = time.monotonic()
        while not await there.is_revoked("one"):
            assert time.monotonic() - began < 2
            await anyio.sleep(0.05)


async def test_revocations_outlive_the_data_of_redis(server: tuple[subprocess.Popen[bytes], int], url: str) -> None:
    clock = Hands()
    async with Redis(url, clock=clock, patience_s=5.0) as store, Redis(url, patience_s=5.0) as other:
        await other.revoke("one", int(time.time()) + 60)
        assert await store.is_revoked("one")
        await anyio.run_process(["redis-cli", "-p", str(server[1]), "flushall"])
        await other.revoke("two", int(time.time()) + 60)
        clock.now += 2
        assert await store.is_revoked("one")
        assert await store.is_revoked("two")


async def test_a_replica_that_shares_a_budget_shares_it_exactly(url: str) -> None:
    bucket = Bucket("org:calls", rate_per_s=0.001, burst=20)
    async with Redis(url, patience_s=5.0) as here, Redis(url, patience_s=5.0) as there:
        waits = [await store.take(bucket) for _ in range(20) for store in (here, there)]
    assert waits.count(0.0) == 20


async def test_a_redis_that_hangs_costs_a_quarter_of_a_second_once(
    server: tuple[subprocess.Popen[bytes], int], url: str
) -> None:
    async with Redis(url) as store:
        await store.put("org:a", b"1", 60)
        os.kill(server[0].pid, signal.SIGSTOP)
        began = time.monotonic()
        for _ in range(20):
            with pytest.raises(StoreDown):
                await store.get("org:a")
        assert time.monotonic() - began < 0.6
        os.kill(server[0].pid, signal.SIGCONT)
        await anyio.sleep(1.1)
        assert await store.get("org:a") == b"1"


async def test_revocations_are_trusted_for_their_grace_and_no_longer(
    server: tuple[subprocess.Popen[bytes], int], url: str
) -> None:
    clock = Hands()
    async with Redis(url, clock=clock) as store:
        await store.revoke("one", int(time.time()) + 60)
        assert await store.is_revoked("one")
        server[0].kill()
        clock.now += 9
        assert await store.is_revoked("one")
        assert not await store.is_revoked("two")
        clock.now += 2
        with pytest.raises(StoreDown):
            await store.is_revoked("two")


async def test_a_redis_never_reached_vouches_for_nothing() -> None:
    async with Redis("redis://127.0.0.1:1/0") as store:
        with pytest.raises(StoreDown):
            await store.is_revoked("one")
        assert store.last_ok == 0.0


async def test_a_full_store_refuses_instead_of_forgetting_a_claim() -> None:
    clock = Hands()
    store = InProcess(size=2, clock=clock)
    await store.claim("org:a", 10)
    await store.claim("org:b", 20)
    with pytest.raises(StoreDown):
        await store.claim("org:c", 10)
    clock.now += 11
    assert await store.claim("org:c", 10)
    assert not await store.claim("org:b", 10)


async def test_a_full_store_lets_the_oldest_bucket_go() -> None:
    store = InProcess(size=2, clock=Hands())
    for key in "abc":
        assert await store.take(Bucket(key, 0.01, 1)) == 0.0
    assert await store.take(Bucket("c", 0.01, 1)) > 0
    assert await store.take(Bucket("a", 0.01, 1)) == 0.0


async def test_one_organisation_cannot_use_up_the_room_of_the_others() -> None:
    store = InProcess(size=100, share=3)
    for number in range(3):
        await store.put(f"{'a' * 24}:replay:{number}", b"", 60)
    with pytest.raises(StoreDown):
        await store.claim(f"{'a' * 24}:confirm:x", 60)
    assert await store.claim(f"{'b' * 24}:confirm:x", 60)


async def test_one_organisation_cannot_fill_a_redis_that_all_share(url: str) -> None:
    async with Redis(url, share=3, patience_s=5.0) as store:
        for number in range(3):
            assert await store.claim(f"{'a' * 24}:replay:{number}", 3600)
        with pytest.raises(StoreDown):
            await store.claim(f"{'a' * 24}:replay:3", 3600)
        assert not await store.claim(f"{'a' * 24}:replay:1", 3600)
        assert await store.get(f"{'a' * 24}:replay:3") is None
        assert await store.claim(f"{'b' * 24}:replay:0", 3600)


@pytest.mark.parametrize("kind", ["in process", "redis"])
async def test_one_organisation_cannot_make_the_list_of_revocations_too_long_for_all(
    kind: str, request: pytest.FixtureRequest
) -> None:
    soon = int(time.time()) + 60
    async with AsyncExitStack() as stack:
        store: Store = InProcess(share=2)
        if kind == "redis":
            url = request.getfixturevalue("url")
            store = await stack.enter_async_context(Redis(url, share=2, patience_s=5.0))
        for name in ("a", "b", "a"):
            await store.revoke(f"{'a' * 24}:{name}", soon)
        with pytest.raises(StoreDown):
            await store.revoke(f"{'a' * 24}:c", soon)
        await store.revoke(f"{'b' * 24}:a", soon)
        assert await store.is_revoked(f"{'b' * 24}:a")
        assert await store.is_revoked(f"{'a' * 24}:b")
