"""What each organisation has, as its own admin reads it from the tenant, and the words in it that are nobody else's."""

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

_LISTS = [
    "communities",
    "challenges",
    "actions",
    "achievements",
    "rewards",
    "posts",
    "users",
    "tags",
    "campaigns",
    "game-configs",
    "challenge-groups",
    "leaderboards/configs",
    "webhooks/logs",
]
_SINGLES = ("themes", "domains", "webhooks/configs")
HEX = re.compile(rb"[0-9a-f]{24}")
_WORD = re.compile(rb"[\w.@-]{4,}")
_TELLING = re.compile(r"[ @/.-]")  # one plain word may be anybody's
_TIME = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass
class Holdings:
    """What one organisation has, as its admin reads it.

    Parameters:
        entities: id -> kind and body.
        ids: every 24-hex id that occurs.
        texts: every piece of text that no other organisation has.
        words: the words in them that no other organisation's texts contain.
    """

    organisation: str
    community: str
    entities: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    ids: frozenset[bytes] = frozenset()
    texts: frozenset[bytes] = frozenset()
    words: frozenset[bytes] = frozenset()
    _common: frozenset[bytes] = frozenset()

    @cached_property
    def wordless(self) -> list[bytes]:
        """Texts of which each single word is somebody else's too."""
        return [text for text in self.texts if self.words.isdisjoint(_WORD.findall(text))]

    def keep_exclusive(self, ids: frozenset[bytes], texts: bytes) -> None:
        """Drop what another organisation has as well."""
        self.ids -= ids
        self.texts = frozenset(text for text in self.texts if text not in texts)
        self.words = frozenset(_WORD.findall(b"\n".join(self.texts))).difference(_WORD.findall(texts), self._common)
        self._common |= frozenset(_WORD.findall(texts))

    def of_kind(self, kind: str) -> list[str]:
        """Ids of all entities of a kind."""
        return [id_ for id_, (found, _) in self.entities.items() if found == kind]

    def beyond(self, kind: str) -> list[str]:
        """Ids of a kind in communities that the community-bound token has no part in."""
        return [id_ for id_ in self.of_kind(kind) if not self.within(id_)]

    def within(self, id_: str) -> bool:
        """Whether a community-bound caller may see an entity."""
        kind, body = self.entities[id_]
        own = id_ if kind == "community" else body.get("communityId")
        return own in (None, self.community)


def theirs_in(theirs: Holdings, raw: bytes, said: bytes = b"") -> list[bytes]:
    """What an answer contains of an organisation's ids, texts and marks."""
    found = [id_ for id_ in theirs.ids.intersection(HEX.findall(raw)) if id_ not in said]
    texts = theirs.wordless if theirs.words.isdisjoint(_WORD.findall(raw)) else theirs.texts
    found += [text for text in texts if text in raw and text not in said]
    mark = mark_of(theirs.organisation).encode()
    return found + ([mark] if mark in raw and mark not in said else [])


def mark_of(organisation: str) -> str:
    """A word that everything written on behalf of an organisation carries."""
    return f"mark-of-{organisation}"


def held_by(port: int, name: str, known: Mapping[str, Any]) -> Holdings:
    """Read all of it.

    Parameters:
        port: the tenant's.
        known: the organisation's part of the tokens file.
    """
    held = Holdings(name, known["community_id"])
    bodies: list[Any] = []
    for path in _LISTS:
        for body in _pages(port, known, path):
            bodies.append(body)
            if "id" in body:
                plural = path.partition("/")[0]
                kind = "community" if plural == "communities" else plural.removesuffix("s")
                held.entities[body["id"]] = (kind, body)
    bodies += [_read(port, known, path) for path in (*_SINGLES, f"organisations/{known['id']}")]
    text = json.dumps(bodies, ensure_ascii=False).encode()
    held.ids = frozenset([*HEX.findall(text), known["id"].encode()])
    own = {leaf for leaf in _leaves(bodies) if len(leaf) >= 8 and _TELLING.search(leaf)}
    tokens = [*known["tokens"].values(), known["x_api_token"], known["api_domain"], name.capitalize()]
    held.texts = frozenset(one.encode() for one in [*own, *tokens] if not _TIME.match(one))
    return held


def _pages(port: int, known: Mapping[str, Any], path: str) -> Iterator[Mapping[str, Any]]:
    skip, total = 0, 1
    while skip < total:
        page = _read(port, known, f"{path}?limit=100&skip={skip}")
        if not isinstance(page, dict):
            yield from page
            return
        yield from page["edges"]
        skip, total = skip + 100, page["totalCount"]


def _read(port: int, known: Mapping[str, Any], path: str) -> Any:
    host = known["api_domain"].split("/")[2]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        headers = {"host": host, "authorization": f"Bearer {known['tokens']['admin']}"}
        connection.request("GET", f"/api/v2/admin/{path}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body)
        return json.loads(body)
    finally:
        connection.close()


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
