"""The tenant's memory: SQLite, one table of entities, every statement bound to one organisation."""

import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.sandbox.faults import Fault

Body = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS organisation (id TEXT PRIMARY KEY, slug TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS entity (
    organisation TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, slug TEXT,
    communities TEXT NOT NULL, created TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (organisation, kind, id), UNIQUE (organisation, kind, slug)
);
CREATE INDEX IF NOT EXISTS entity_newest ON entity (organisation, kind, created);
CREATE TABLE IF NOT EXISTS translation (
    organisation TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, language TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (organisation, kind, id, language)
);
CREATE TABLE IF NOT EXISTS token (
    id TEXT PRIMARY KEY, organisation TEXT NOT NULL, subject TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    role TEXT NOT NULL, community TEXT, created INTEGER NOT NULL, expires INTEGER NOT NULL,
    used INTEGER, revoked INTEGER NOT NULL DEFAULT 0, session TEXT
);
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page of a list.

    Parameters:
        limit, skip: entities, 1-100 and >= 0.
        sort: dotted member, `-` in front for descending.
        search: substring of one of the `texts` members, any case.
        where: JSON path -> value it must have.
        community: one community it must be in.
        since, until: ISO moments that bound createdAt.
        communities: None for all; else what a community-bound caller may see.
        shared: whether entities of no community are visible to such a caller.
        several: whether an entity in several communities is visible by one of them (a user), or only when all are the
            caller's (a leaderboard).
    """

    limit: int = 10
    skip: int = 0
    sort: str | None = None
    search: str | None = None
    texts: tuple[str, ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    community: str | None = None
    since: str | None = None
    until: str | None = None
    communities: frozenset[str] | None = None
    shared: bool = True
    several: bool = False


class EntityStore:
    """Entities of all organisations in one file, or in memory when there is no file."""

    def __init__(self, database: Path | None) -> None:
        if database is not None:
            os.close(os.open(database, os.O_CREAT | os.O_RDWR, 0o600))
        self.lock = threading.RLock()
        self.sql = sqlite3.connect(database or ":memory:", check_same_thread=False, isolation_level=None)
        # Python 3.13 warns of a connection that nobody closes; the store's end is the connection's, however it comes.
        weakref.finalize(self, self.sql.close)
        self.sql.row_factory = sqlite3.Row
        self.sql.create_function("fold", 1, lambda text: str(text or "").casefold(), deterministic=True)
        self.sql.execute("PRAGMA journal_mode = WAL")
        self.sql.execute("PRAGMA synchronous = NORMAL")
        self.sql.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; one at a time."""
        with self.lock:
            self.sql.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.sql.execute("ROLLBACK")
                raise
            self.sql.execute("COMMIT")

    def find(self, organisation: str, kind: str, key: str, language: str | None = None) -> Body | None:
        """One entity in a language, or None."""
        row = self.sql.execute(
            "SELECT entity.body, translation.body FROM entity LEFT JOIN translation "
            "ON translation.organisation = entity.organisation AND translation.kind = entity.kind "
            "AND translation.id = entity.id AND translation.language = ? "
            "WHERE entity.organisation = ? AND entity.kind = ? AND entity.id = ?",
            (language, organisation, kind, key),
        ).fetchone()
        return None if row is None else _localise(row)

    def page(self, organisation: str, kind: str, wanted: Wanted, language: str | None = None) -> tuple[int, list[Body]]:
        """How many match, and the page asked for."""
        clauses, values = _build_conditions(wanted)
        source = (
            "FROM entity LEFT JOIN translation ON translation.organisation = entity.organisation "
            "AND translation.kind = entity.kind AND translation.id = entity.id AND translation.language = ? "
            f"WHERE entity.organisation = ? AND entity.kind = ?{clauses}"
        )
        bound = [language, organisation, kind, *values]
        total = self.sql.execute(f"SELECT count(*) {source}", bound).fetchone()[0]
        order, by = _build_order(wanted.sort)
        rows = self.sql.execute(
            f"SELECT entity.body, translation.body {source} ORDER BY {order} LIMIT ? OFFSET ?",
            [*bound, *by, wanted.limit, wanted.skip],
        )
        return total, [_localise(row) for row in rows]

    def put(self, organisation: str, kind: str, body: Body, communities: list[str]) -> None:
        """Insert or replace one entity.

        Raises:
            Fault: 409 when another one of the organisation has its slug.
        """
        try:
            self.sql.execute(
                "INSERT INTO entity VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (organisation, kind, id) "
                "DO UPDATE SET slug = excluded.slug, communities = excluded.communities, body = excluded.body",
                (
                    organisation,
                    kind,
                    body["id"],
                    body.get("slug"),
                    json.dumps(communities),
                    body.get("createdAt", ""),
                    json.dumps(body, ensure_ascii=False),
                ),
            )
        except sqlite3.IntegrityError:
            raise Fault(409, f"A {kind} with the slug {body.get('slug')!r} exists already.") from None

    def translate(self, organisation: str, kind: str, key: str, language: str, texts: Body) -> None:
        """Add what an entity says in a language to what it said before."""
        row = self.sql.execute(
            "SELECT body FROM translation WHERE organisation = ? AND kind = ? AND id = ? AND language = ?",
            (organisation, kind, key, language),
        ).fetchone()
        merged = merge(json.loads(row[0]) if row else {}, texts)
        self.sql.execute(
            "INSERT OR REPLACE INTO translation VALUES (?, ?, ?, ?, ?)",
            (organisation, kind, key, language, json.dumps(merged, ensure_ascii=False)),
        )

    def delete(self, organisation: str, kind: str, key: str) -> None:
        """Remove one entity with its translations."""
        for table in ("entity", "translation"):
            self.sql.execute(
                f"DELETE FROM {table} WHERE organisation = ? AND kind = ? AND id = ?",  # noqa: S608 - two fixed words
                (organisation, kind, key),
            )


def merge(old: Body, new: Body) -> Body:
    """`old` with the members of `new`, objects merged member by member, everything else replaced."""
    both = (old.keys() & new.keys()) if old else set()
    deep = {
        name: merge(old[name], new[name])
        for name in both
        if isinstance(old[name], dict) and isinstance(new[name], dict)
    }
    return {**old, **new, **deep}


def _localise(row: sqlite3.Row) -> Body:
    body: Body = json.loads(row[0])
    return body if row[1] is None else merge(body, json.loads(row[1]))


def _build_conditions(wanted: Wanted) -> tuple[str, list[Any]]:
    clauses, values = _build_visibility(wanted)
    if wanted.community is not None:
        clauses += " AND EXISTS (SELECT 1 FROM json_each(entity.communities) WHERE value = ?)"
        values.append(wanted.community)
    for path, value in wanted.where.items():
        clauses += " AND json_extract(entity.body, ?) = ?"
        values += [path, value]
    for bound, sign in ((wanted.since, ">="), (wanted.until, "<=")):
        if bound is not None:
            clauses += f" AND julianday(entity.created) {sign} julianday(?)"
            values.append(bound)
    if wanted.search:
        tests = [
            f"instr(fold(json_extract({table}.body, ?)), fold(?)) > 0"
            for _ in wanted.texts
            for table in ("entity", "translation")
        ]
        clauses += f" AND ({' OR '.join(tests)})"
        values += [part for text in wanted.texts for _ in range(2) for part in (text, wanted.search)]
    return clauses, values


def _build_visibility(wanted: Wanted) -> tuple[str, list[Any]]:
    if wanted.communities is None:
        return "", []
    own = ", ".join("?" * len(wanted.communities))
    some = f"SELECT 1 FROM json_each(entity.communities) WHERE value IN ({own})"  # noqa: S608 - question marks only
    foreign = f"SELECT 1 FROM json_each(entity.communities) WHERE value NOT IN ({own})"  # noqa: S608 - as above
    clauses = f" AND EXISTS ({some})" if wanted.several else f" AND NOT EXISTS ({foreign})"
    if not wanted.shared:
        clauses += " AND entity.communities <> '[]'"
    return clauses, sorted(wanted.communities)


def _build_order(sort: str | None) -> tuple[str, list[str]]:
    if sort in (None, "-createdAt"):
        return "entity.created DESC, entity.rowid DESC", []
    assert sort is not None  # noqa: S101 - narrowed for mypy by the line above
    direction = "DESC" if sort.startswith("-") else "ASC"
    return f"json_extract(entity.body, ?) {direction}, entity.rowid {direction}", ["$." + sort.removeprefix("-")]
