"""The one way to ask for a page and to give one."""

import base64
import binascii
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tools.spec import Operation, TenantApi, ToolInput, ToolOutput

_MARK = "skip:"


def encode(skip: int) -> str:
    """A cursor for the page that starts after `skip` items; opaque to callers."""
    return base64.urlsafe_b64encode(f"{_MARK}{skip}".encode()).decode().rstrip("=")


def decode(cursor: str) -> int:
    """How many items the cursor skips.

    Raises:
        ValueError: the cursor is not one that a list tool returned.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        raise ValueError("not a cursor; pass next_cursor of the previous page unchanged") from None
    digits = text.removeprefix(_MARK)
    if digits == text or not digits.isdecimal() or len(digits) > 9 or encode(int(digits)) != cursor:
        raise ValueError("not a cursor; pass next_cursor of the previous page unchanged")
    return int(digits)


def _decode_known(cursor: str) -> str:
    decode(cursor)
    return cursor


Cursor = Annotated[str, AfterValidator(_decode_known)]


class PageOf(ToolInput):
    """The arguments every list tool takes."""

    limit: Annotated[int, Field(ge=1, le=100, description="Page size.")] = 20
    cursor: Annotated[Cursor | None, Field(description="The last next_cursor.")] = None

    @property
    def skip(self) -> int:
        """How many items stand before this page."""
        return 0 if self.cursor is None else decode(self.cursor)


ItemT = TypeVar("ItemT", bound=ToolOutput)


class Page(BaseModel, Generic[ItemT]):
    """The answer of every list tool. `skipped` is ours alone: where the page starts, so that it can be cut short."""

    model_config = ConfigDict(frozen=True)

    items: tuple[ItemT, ...]
    next_cursor: str | None = None
    total_count: int
    skipped: Annotated[int, Field(exclude=True)] = 0

    def cut(self, size: int) -> "Page[ItemT]":
        """The same page with only its first `size` items and a cursor to the rest; nothing is lost."""
        return self.model_copy(update={"items": self.items[:size], "next_cursor": encode(self.skipped + size)})


async def page(
    api: TenantApi,
    operation: Operation,
    item: type[ItemT],
    asked: PageOf,
    *,
    query: dict[str, Any] | None = None,
    language: str | None = None,
) -> Page[ItemT]:
    """Fetch one page of a list operation (`limit`, `skip` -> `totalCount`, `edges`) and shape its items."""
    found = await api.call(
        operation, query={"limit": asked.limit, "skip": asked.skip} | (query or {}), language=language
    )
    # Types made from a value, which pydantic understands and a type checker does not.
    edges = Shaped[item].model_validate(found)  # type: ignore[valid-type]
    items = edges.edges
    end = asked.skip + len(items)
    more = bool(items) and end < edges.total_count
    return Page[item](  # type: ignore[valid-type]
        items=items, next_cursor=encode(end) if more else None, total_count=edges.total_count, skipped=asked.skip
    )


def single(kind: type[ItemT], found: Any) -> Page[ItemT]:
    """A page of the one thing that was asked for by id; for lists whose items are already whole."""
    return Page[kind](items=(kind.model_validate(found),), total_count=1)  # type: ignore[valid-type]  # as in page


class Edges(ToolOutput):
    """A page as the tenant's API gives it."""

    edges: list[dict[str, Any]]
    total_count: Annotated[int, Field(ge=0)]


class Shaped(ToolOutput, Generic[ItemT]):
    """The same with its edges read as items, all of them in one go."""

    edges: tuple[ItemT, ...]
    total_count: Annotated[int, Field(ge=0)]
