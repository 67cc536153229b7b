"""One call of one operation: who asks, for what, and the organisation's entities as that caller may see them."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from server.sandbox.document import Document
from server.sandbox.entities import REFERENCES, TOP_REFERENCES, USER, Entity
from server.sandbox.faults import Fault
from server.sandbox.roles import SandboxCaller
from server.sandbox.store import Body, EntityStore
from server.sandbox.tokens import Tokens
from tools.spec import Permission


@dataclass(frozen=True, slots=True)
class OperationCall:
    """One call.

    Parameters:
        organisation: 24-hex id of the one behind the host, which is also the token's.
        scope: communities the caller is bound to for this permission; None means all.
        ids, query, body: the request, already checked against the API document.
        language: x-language, when it is not the organisation's own.
    """

    store: EntityStore
    tokens: Tokens
    document: Document
    caller: SandboxCaller
    organisation: str
    scope: frozenset[str] | None
    ids: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    language: str | None

    def find(self, entity: Entity, key: str) -> Body:
        """An entity the caller may see.

        Raises:
            Fault: 404: there is none, or it is another organisation's, or another community's.
        """
        body = self.store.find(self.organisation, entity.kind, key, self.language)
        if body is None or not self._sees(entity, body):
            raise Fault(404, f"There is no {entity.kind} {key[:40]}.")
        return body

    def find_to_change(self, entity: Entity, key: str) -> Body:
        """The same, in the organisation's own language, if the caller may change it.

        Raises:
            Fault: 404 as above; 403 for what belongs to the whole organisation.
        """
        self.find(entity, key)
        body = self.store.find(self.organisation, entity.kind, key)
        assert body is not None  # noqa: S101 - found by the line above
        self.refuse_shared(entity.communities(body))
        return body

    def refuse_shared(self, communities: list[str]) -> None:
        """Keep a community-bound caller from writing what belongs to no community, or to another.

        Raises:
            Fault: 403.
        """
        if self.scope is not None and (not communities or not self.scope.issuperset(communities)):
            raise Fault(403, "Insufficient permissions: this token is bound to a community.")

    def check_references(self, body: Body) -> None:
        """See that everything a request names exists where the caller may use it.

        Raises:
            Fault: 404, naming the first that does not.
        """
        for entity, key in _find_references(body):
            self.find(entity, key)

    def save(self, entity: Entity, body: Body) -> None:
        """Write an entity as it now is."""
        self.store.put(self.organisation, entity.kind, body, entity.communities(body))

    def show(self, entity: Entity, body: Body) -> Body:
        """An entity cut down to what the document describes, and to the caller's communities."""
        members = self.document.members(entity.schema)
        shown = {name: value for name, value in body.items() if name in members and value is not None}
        if entity is USER and self.scope is not None:
            shown["communityData"] = [each for each in body["communityData"] if each["communityId"] in self.scope]
        return shown

    def _sees(self, entity: Entity, body: Body) -> bool:
        if self.scope is None:
            return True
        communities = entity.communities(body)
        if not communities:
            return entity.shared
        return not self.scope.isdisjoint(communities) if entity.several else self.scope.issuperset(communities)


Handler = Callable[[OperationCall], Body | list[Body]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What stands behind an operation: the permission it takes and the work."""

    permission: Permission
    handler: Handler


def format_now() -> str:
    """This moment as the product writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_id() -> str:
    """A fresh 24-hex id."""
    return secrets.token_hex(12)


def _find_references(body: Any) -> Iterator[tuple[Entity, str]]:
    if isinstance(body, dict):
        for name, entity in TOP_REFERENCES.items():
            yield from ((entity, key) for key in body.get(name, ()))
    yield from _find_references_within(body)


def _find_references_within(value: Any) -> Iterator[tuple[Entity, str]]:
    if isinstance(value, list):
        for each in value:
            yield from _find_references_within(each)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in REFERENCES:
                keys = inner if isinstance(inner, list) else [inner]
                yield from ((REFERENCES[name], key) for key in keys if isinstance(key, str))
            else:
                yield from _find_references_within(inner)
