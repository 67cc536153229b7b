"""A call leaves nothing for the garbage collector, refused or not: its pauses would be felt by every tenant."""

import gc
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from server.http.port import HttpError
from server.pipeline.context import CallContext
from tests.support.raw_clients import LEGACY, MODERN, Http, speaking
from tests.support.scripted_servers import site
from tests.support.shared_stack import World, beside
from tests.test_broken_tenants import FAULTS
from tools.refusals import ToolError

CALLS = 20


@contextmanager
def left() -> Iterator[Counter[str]]:
    """Counts by type what only the collector could free after the block: of what is ours, and of tracebacks."""
    found: Counter[str] = Counter()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        found.update(
            type(each).__name__ for each in gc.garbage if isinstance(each, ToolError | HttpError | CallContext)
        )
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


WAYS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "answered": ("admin", "acme", {}, "ok"),
    "expired": ("expired", "acme", {}, "token_expired"),
    "of another organisation": ("admin", "globex", {}, "organisation_mismatch"),
    "of too low a role": ("viewer", "acme", {}, "role_denied"),
    "with wrong arguments": ("admin", "acme", {"nonsense": 1}, "arguments_invalid"),
}


@pytest.mark.parametrize("version", [MODERN, LEGACY])
@pytest.mark.parametrize("way", WAYS)
async def test_a_callers_slip_leaves_nothing(world: World, way: str, version: str) -> None:
    token, at, arguments, code = WAYS[way]
    tool = "create_challenge" if code == "role_denied" else "list_challenges"
    headers = world.headers(token) | {"x-api-domain": world.domain(at)}
    async with speaking(world.origin) as http:
        with left() as found:
            for _ in range(CALLS):
                assert (await http.call(tool, arguments, headers=headers, version=version)).code == code
    assert found.total() < CALLS, found


@asynccontextmanager
async def served(world: World, name: str) -> AsyncIterator[Http]:
    said = FAULTS[name].said
    settings: dict[str, Any] = {"upstream_timeout_s": 0.6, "tenant_rate": 1e9, "caller_rate": 1e9}
    async with (
        site(then=said) if callable(said) else site(said) as tenant,
        beside(world, connect_to={"acme": f"127.0.0.1:{tenant.port}"}, **settings) as origin,
        speaking(origin) as http,
    ):
        yield http


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "silence"])
async def test_a_tenants_fault_leaves_nothing(world: World, name: str) -> None:
    async with served(world, name) as http:
        await http.call("get_theme", {}, headers=world.headers())
        with left() as found:
            for _ in range(CALLS):
                assert (await http.call("get_theme", {}, headers=world.headers())).code != "ok"
    assert found.total() < CALLS, found
