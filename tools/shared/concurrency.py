"""Many pages at once for reports: bounded, in parallel, and honest about what the bound left out."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import anyio
from pydantic import BaseModel

from tools.refusals import ToolError
from tools.shared.paging import Edges
from tools.spec import Operation, TenantApi

SIZE = 100
"""Items on a page: the most the API gives."""

PAGES = 10
"""Pages a report reads of one list; what lies behind them is not counted, and the report says so."""

AT_ONCE = 5
"""Requests of one call in flight together, so that one report does not crowd out its tenant's other callers."""

ItemT = TypeVar("ItemT", bound=BaseModel)
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Gathered(Generic[ItemT]):
    """The items read, and how many there are in all."""

    items: tuple[ItemT, ...]
    total: int
    capped: bool


async def gather(
    api: TenantApi,
    operation: Operation,
    item: type[ItemT],
    *,
    query: Mapping[str, str | int | bool | None] = {},
    language: str | None = None,
) -> Gathered[ItemT]:
    """Read up to PAGES pages of a list operation.

    Raises:
        ToolError: any page was refused; a report with a hole in it would be wrong without saying so.
    """

    async def read(skip: int) -> Edges:
        asked = {**query, "limit": SIZE, "skip": skip}
        return Edges.model_validate(await api.call(operation, query=asked, language=language))

    first = await read(0)
    starts = range(SIZE, min(first.total_count, SIZE * PAGES), SIZE)
    rest = await together(api, [partial(read, skip) for skip in starts], operation.id)
    # A thing created meanwhile moves the others one place on, so that it may be read twice.
    unlike = {str(edge.get("id", id(edge))): edge for found in (first, *rest) for edge in found.edges}
    items = tuple(item.model_validate(edge) for edge in unlike.values())
    return Gathered(items, first.total_count, capped=first.total_count > SIZE * PAGES)


async def together(api: TenantApi, calls: Sequence[Callable[[], Awaitable[ResultT]]], what: str) -> tuple[ResultT, ...]:
    """Make several calls at once, AT_ONCE in flight, and return their results in order; progress is reported as `what`.

    Raises:
        ToolError: the first one that a call raised; the others are cancelled.
    """
    results: dict[int, ResultT] = {}
    refusals: list[ToolError] = []
    slots = anyio.CapacityLimiter(AT_ONCE)

    async def one(place: int, call: Callable[[], Awaitable[ResultT]]) -> None:
        async with slots:
            try:
                results[place] = await call()
            except ToolError as refusal:
                refusals.append(refusal)
                group.cancel_scope.cancel()
                return
        await api.report(len(results), len(calls), what)

    async with anyio.create_task_group() as group:
        for place, call in enumerate(calls):
            group.start_soon(one, place, call)
    if refusals:
        raise refusals[0]
    return tuple(results[place] for place in range(len(calls)))
