"""A tenant that is slow, down or too talkative: what is repeated, what is not, and when it is left alone."""

import asyncio
from dataclasses import replace

import anyio
import pytest

from tests.support.tenant_api_harness import said, world
from tools.api import operations as op
from tools.refusals import Code, ToolError
from tools.spec import Operation


@pytest.mark.parametrize(
    ("operation", "code"), [(op.GET_CHALLENGES, Code.RESULT_TOO_LARGE), (op.CREATE_CHALLENGE, Code.UPSTREAM_INVALID)]
)
async def test_fifty_megabytes_are_refused(operation: Operation, code: Code) -> None:
    async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(50):
            writer.write(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
            await writer.drain()

    async with world(then=pour) as it:
        assert (await it.refusal(operation)).code is code


async def test_a_slow_tenant_is_a_timeout_and_a_write_is_not_called_repeatable() -> None:
    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with world(then=silent) as it:
        read, write = await it.refusal(op.GET_THEME), await it.refusal(op.CREATE_CHALLENGE, body={})
    assert (read.code, read.retryable) == (Code.UPSTREAM_TIMEOUT, True)
    assert (write.code, write.retryable) == (Code.UPSTREAM_TIMEOUT, False)
    assert "look" in write.hint
    assert len(it.here.heads) == 2


async def test_a_tenant_that_is_down_is_unavailable_and_a_write_to_it_repeatable() -> None:
    async with world(said({})) as it:
        it.tenant = replace(it.tenant, api_domain="http://127.0.0.1:1/api/v2/admin")
        refusal = await it.refusal(op.CREATE_CHALLENGE, body={})
    assert (refusal.code, refusal.reason, refusal.retryable) == (Code.UPSTREAM_UNAVAILABLE, "refused", True)


async def test_a_read_is_repeated_once_when_the_tenant_falters() -> None:
    async with world(said({}, "503 Service Unavailable"), said({"ok": 1})) as it:
        assert await it.api().call(op.GET_THEME) == {"ok": 1}
    assert len(it.here.heads) == 2


@pytest.mark.parametrize("operation", [op.CREATE_CHALLENGE, op.UPDATE_TAG, op.PUT_WEBHOOK_CONFIGS, op.DELETE_CHALLENGE])
@pytest.mark.parametrize(
    "answer", [said({}, "503 Service Unavailable"), b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"]
)
async def test_a_write_is_never_sent_twice(operation: Operation, answer: bytes) -> None:
    async with world(answer, stop_after=1) as it:
        refusal = await it.refusal(operation)
    assert (refusal.code, refusal.retryable) == (Code.UPSTREAM_UNAVAILABLE, False)
    assert len(it.here.heads) == 1


async def test_repeats_stay_within_the_budget_of_the_tenant() -> None:
    async with world(said({}, "503 Service Unavailable"), failures=10**6) as it:
        for _ in range(30):
            await it.refusal(op.GET_THEME)
    assert len(it.here.heads) <= 30 + 10 + 3


async def test_a_retry_after_that_is_too_long_is_not_waited_for() -> None:
    async with world(said({}, "503 Service Unavailable", "retry-after: 30")) as it:
        assert (await it.refusal(op.GET_THEME)).retry_after_s == 30
    assert len(it.here.heads) == 1


async def test_a_failing_tenant_is_left_alone_for_a_while() -> None:
    async with world(said({"message": "No.", "code": "X"}, "503 Service Unavailable"), failures=3) as it:
        refusals = [await it.refusal(op.CREATE_CHALLENGE, body={}) for _ in range(5)]
    assert [refusal.reason for refusal in refusals] == [None, None, None, "circuit_open", "circuit_open"]
    assert refusals[-1].retryable
    assert len(it.here.heads) == 3


async def test_nothing_is_sent_once_the_time_of_the_call_is_over() -> None:
    async with world(said({})) as it:
        with pytest.raises(ToolError) as caught:
            await it.api(seconds=0).call(op.GET_THEME)
    assert (caught.value.code, it.here.connections) == (Code.UPSTREAM_TIMEOUT, 0)


async def test_a_cancelled_call_closes_its_request() -> None:
    arrived = asyncio.Event()

    async def wait_for_end(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await reader.read()

    async with world(then=wait_for_end) as it, anyio.create_task_group() as calls:
        calls.start_soon(it.api().call, op.GET_THEME)
        await arrived.wait()
        calls.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.wait_for(it.here.closed.wait(), 0.5)
