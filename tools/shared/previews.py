"""Previews that several domains share: of a thing with an id, and of what hangs on it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import TypeAdapter

from tools.previews import Preview
from tools.shared.paging import Edges
from tools.spec import Operation, PreviewFunction, TenantApi

Counter = Callable[[str, TenantApi], Awaitable[int]]
"""How many of something hang on the thing of that id."""

_OBJECT = TypeAdapter(dict[str, Any])


def preview_entity(
    act: str,
    read: Operation,
    *,
    titles: tuple[str, ...] = ("details.title",),
    counts: Mapping[str, str] = {},
    counters: Mapping[str, Counter] = {},
) -> PreviewFunction:
    """The preview of a tool that destroys what its argument `id` names.

    Parameters:
        act: as Preview.act.
        read: the operation that answers with the thing; not_found ends the call before anybody is asked.
        titles: members of the answer that people call it by, dotted where they are nested; those there are shown.
        counts: members of the answer that count what goes with it, and the word for each.
        counters: words, and how to count what the answer does not.
    """

    async def preview(given: Any, api: TenantApi) -> Preview:
        found = _OBJECT.validate_python(await api.call(read, ids={"id": given.id}))
        names = [str(name) for name in (_find(found, path) for path in titles) if name]
        said = [f"{found[name]:g} {word}" for name, word in counts.items() if isinstance(found.get(name), int | float)]
        said += [f"{await count(given.id, api)} {word}" for word, count in counters.items()]
        return Preview(act, given.id, ", ".join(names) or None, tuple(said))

    return preview


def count_in_community(operation: Operation) -> Counter:
    """A counter of what a list operation finds in one community."""

    async def count(community: str, api: TenantApi) -> int:
        found = await api.call(operation, query={"communityId": community, "limit": 1, "skip": 0})
        return Edges.model_validate(found).total_count

    return count


def _find(found: Any, path: str) -> Any:
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
