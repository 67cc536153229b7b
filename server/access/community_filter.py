"""The tenant's API for a caller bound to some communities of the organisation: what lies outside them is not there.

Entities without a community can be read and not written. A write has to touch at least one community, and only the
caller's own; what it touches is read first where the request does not say so itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from tools.refusals import Code, ToolError
from tools.spec import Account, Caller, Operation, TenantApi

_FILTERED = frozenset({"getChallengeGroups", "getActions", "getLeaderboardConfigs", "getPosts"})
"""List operations that take communityId as a query member."""

_PAGE = 100
_MOST_PAGES = 50


class CommunityFilter:
    """`TenantApi` inside `communities` (lower-case ids), for one tool call."""

    def __init__(self, api: TenantApi, communities: frozenset[str]) -> None:
        self._api = api
        self._own = communities
        self._guarded: dict[tuple[str, str], frozenset[str]] = {}

    @property
    def caller(self) -> Caller:
        """See `TenantApi.caller`."""
        return self._api.caller

    async def report(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """See `TenantApi.report`."""
        await self._api.report(done, total, message)

    async def note(self, account: Account) -> None:
        """See `TenantApi.note`."""
        await self._api.note(account)

    async def call(
        self,
        operation: Operation,
        *,
        ids: Mapping[str, str] = {},
        query: Mapping[str, str | int | bool | None] = {},
        body: Any = None,
        language: str | None = None,
    ) -> Any:
        """See `TenantApi.call`.

        Raises:
            ToolError: also not_found for what belongs to another community, community_denied for a write that does not
                stay inside the caller's own.
        """
        named = frozenset(_find_communities(body)) | frozenset(_find_communities(dict(query)))
        if not named <= self._own:
            _build_denied("The request names a community this token is not bound to.")
        touched = named | await self._read_touched(operation, ids, body)
        if operation.method != "GET" and not touched:
            _build_denied("This would change something of the whole organisation; the token is bound to communities.")
        if operation.method != "GET" and not touched <= self._own:
            _build_denied("This belongs to other communities as well, which the token is not bound to.")
        if operation.method == "GET" and "limit" in query:
            return await self._page(operation, ids, query, language)
        found = await self._api.call(operation, ids=ids, query=query, body=body, language=language)
        return self._inside(operation, found)

    async def _read_touched(self, operation: Operation, ids: Mapping[str, str], body: Any) -> frozenset[str]:
        """The communities of everything the request points at, read first; what is foreign is not found."""
        touched: frozenset[str] = frozenset()
        for guard in operation.guards:
            if guard.when is not None and guard.when[1] not in _find_strings(f"body.{guard.when[0]}", ids, body):
                continue
            for id_ in _find_strings(guard.at, ids, body):
                reached = await self._read(guard.read, id_)
                if not reached and operation.method != "GET":
                    _build_denied("What this would change has no community and belongs to the whole organisation.")
                touched |= reached
        return touched

    async def _read(self, operation: Operation, id_: str) -> frozenset[str]:
        key = (operation.id, id_)
        if key not in self._guarded:
            entity = await self._api.call(operation, ids={"id": id_})
            if self._foreign(operation, entity):
                _build_absent()
            self._guarded[key] = _list_communities(operation, entity)
        return self._guarded[key]

    async def _page(
        self, operation: Operation, ids: Mapping[str, str], query: Mapping[str, Any], language: str | None
    ) -> Any:
        """A page of what the caller may see: counted and cut here, since the tenant counts the others' too."""
        asked = dict(query)
        if operation.id in _FILTERED and len(self._own) == 1:
            asked["communityId"] = next(iter(self._own))
        limit, skip = int(asked.get("limit") or _PAGE), int(asked.get("skip") or 0)
        visible: list[Any] = []
        for page in range(_MOST_PAGES):
            asked |= {"limit": _PAGE, "skip": page * _PAGE}
            found = await self._api.call(operation, ids=ids, query=asked, language=language)
            edges, total = _read_edges(found)
            visible += self._edges_inside(operation, edges)
            if not edges or page * _PAGE + len(edges) >= total:
                return {"totalCount": len(visible), "edges": visible[skip : skip + limit]}
        raise ToolError(
            Code.RESULT_TOO_LARGE,
            f"The organisation has more than {_PAGE * _MOST_PAGES} of these, too many to search for yours.",
            "Narrow the list with the tool's own filters.",
        )

    def _inside(self, operation: Operation, found: Any) -> Any:
        if isinstance(found, list):
            return self._edges_inside(operation, found)
        if isinstance(found, dict) and isinstance(found.get("edges"), list):
            edges = self._edges_inside(operation, found["edges"])
            return found | {"edges": edges, "totalCount": len(edges)}
        if self._foreign(operation, found):
            _build_absent()
        return self._trim(found)

    def _edges_inside(self, operation: Operation, edges: Iterable[Any]) -> list[Any]:
        return [self._trim(edge) for edge in edges if not self._foreign(operation, edge)]

    def _foreign(self, operation: Operation, entity: Any) -> bool:
        """Whether an entity lies outside: by its own community if it names one, otherwise by all the others it names.

        A challenge of another community that is also shown in the caller's stays the other community's.
        """
        if not isinstance(entity, dict):
            return False
        main = _main_community(operation, entity)
        if main is not None:
            return main not in self._own
        others = _list_communities(operation, entity)
        return bool(others) and not others & self._own

    def _trim(self, value: Any) -> Any:
        """The value without the parts inside it that name other communities."""
        if isinstance(value, list):
            return [self._trim(inner) for inner in value if self._name_own(inner)]
        if isinstance(value, dict):
            return {
                name: [one for one in inner if _read_id(one) in self._own]
                if name == "additionalCommunityIds" and isinstance(inner, list)
                else self._trim(inner)
                for name, inner in value.items()
                if self._name_own(inner)
            }
        return value

    def _name_own(self, inner: Any) -> bool:
        main = _read_id(inner.get("communityId")) if isinstance(inner, dict) else None
        return main is None or main in self._own


def _main_community(operation: Operation, entity: Mapping[str, Any]) -> str | None:
    if operation.path.startswith("/communities") or operation.id == "getCommunityTemplates":
        return _read_id(entity.get("id"))
    return _read_id(entity.get("communityId"))


def _list_communities(operation: Operation, entity: Any) -> frozenset[str]:
    """Every community an entity belongs to; a leaderboard names its own in its conditions."""
    if not isinstance(entity, dict):
        return frozenset()
    main = _main_community(operation, entity)
    members = {name: entity[name] for name in ("communityId", "additionalCommunityIds", "conditions") if name in entity}
    return frozenset(_find_communities(members)) | (frozenset() if main is None else {main})


def _find_communities(value: Any) -> Iterator[str]:
    """Every community id under communityId or additionalCommunityIds, at any depth."""
    if isinstance(value, list):
        for inner in value:
            yield from _find_communities(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in ("communityId", "additionalCommunityIds"):
                yield from (
                    one for one in map(_read_id, inner if isinstance(inner, list) else [inner]) if one is not None
                )
            else:
                yield from _find_communities(inner)


def _find_strings(at: str, ids: Mapping[str, str], body: Any) -> list[str]:
    """The strings at a place in the request, written as a guard writes it; each once, in order."""
    root, *steps = at.split(".")
    values: list[Any] = [ids if root == "path" else body]
    for step in steps:
        if step == "*":
            values = [inner for value in values if isinstance(value, list) for inner in value]
        else:
            values = [value[step] for value in values if isinstance(value, Mapping) and step in value]
    return list(dict.fromkeys(value for value in values if isinstance(value, str)))


def _read_edges(found: Any) -> tuple[list[Any], int]:
    edges = found.get("edges") if isinstance(found, dict) else found
    if not isinstance(edges, list):
        raise ToolError(Code.UPSTREAM_INVALID, "The tenant's API answered a list with something that is not one.")
    total = found.get("totalCount") if isinstance(found, dict) else None
    return edges, total if isinstance(total, int) else len(edges)


def _read_id(value: Any) -> str | None:
    return value.lower() if isinstance(value, str) else None


def _build_absent() -> NoReturn:
    raise ToolError(Code.NOT_FOUND, "Nothing with this id exists in the communities of this token.")


def _build_denied(message: str) -> NoReturn:
    raise ToolError(
        Code.COMMUNITY_DENIED, message, "Use check_connection to see which communities the token is bound to."
    )
