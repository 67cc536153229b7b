"""What the authorization server remembers, in the tenant's own database; secrets only as SHA-256."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from server.sandbox.store import EntityStore

REQUEST_S, CODE_S, REFRESH_S, GRANT_S = 600, 60, 30 * 24 * 3600, 90 * 24 * 3600
"""Lifetimes: a person's decision, a code, a refresh token since its last use, a grant in all."""

_PENDING, _CLIENTS, _UNUSED_S = 1000, 1000, 24 * 3600

_SCHEMA = """
CREATE TABLE IF NOT EXISTS oauth_client (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, redirects TEXT NOT NULL, secret TEXT, application TEXT NOT NULL,
    created INTEGER NOT NULL, used INTEGER
);
CREATE TABLE IF NOT EXISTS oauth_request (
    id TEXT PRIMARY KEY, browser TEXT NOT NULL, session TEXT, client TEXT NOT NULL, redirect TEXT NOT NULL,
    state TEXT, scope TEXT NOT NULL, resource TEXT NOT NULL, challenge TEXT NOT NULL, expires INTEGER NOT NULL,
    used INTEGER
);
CREATE TABLE IF NOT EXISTS oauth_grant (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, client TEXT NOT NULL, client_name TEXT NOT NULL,
    organisation TEXT NOT NULL, role TEXT NOT NULL, community TEXT, scope TEXT NOT NULL, resource TEXT NOT NULL,
    created INTEGER NOT NULL, expires INTEGER NOT NULL, used INTEGER, ended INTEGER
);
CREATE TABLE IF NOT EXISTS oauth_code (
    hash TEXT PRIMARY KEY, grant_id TEXT NOT NULL, redirect TEXT NOT NULL, challenge TEXT NOT NULL,
    expires INTEGER NOT NULL, used INTEGER
);
CREATE TABLE IF NOT EXISTS oauth_refresh (
    hash TEXT PRIMARY KEY, grant_id TEXT NOT NULL, expires INTEGER NOT NULL, used INTEGER
);
"""


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A program that asks for access.

    Parameters:
        name: what it says it is; nobody has checked that.
        redirects: URIs it may be answered at.
        secret: SHA-256 of its secret; None for a public client.
    """

    id: str
    name: str
    redirects: tuple[str, ...]
    secret: str | None = None
    application: str = "native"


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A question to a person, waiting for the answer; `session` is the one that first saw it."""

    client: str
    redirect: str
    state: str | None
    scope: str
    resource: str
    challenge: str
    session: str | None = None


@dataclass(frozen=True, slots=True)
class OAuthGrant:
    """What a person allowed a client: once, in one organisation, for one resource. Times in seconds since the epoch."""

    id: str
    account: str
    client: str
    client_name: str
    organisation: str
    role: str
    community: str | None
    scope: str
    resource: str
    created: int
    expires: int
    used: int | None = None
    ended: int | None = None


class OAuthRecords:
    """Clients, requests, grants, codes and refresh tokens.

    Parameters:
        clock: seconds since the epoch.
    """

    def __init__(self, store: EntityStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        store.sql.executescript(_SCHEMA)

    @property
    def now(self) -> int:
        """Seconds since the epoch."""
        return int(self._clock())

    def add_client(self, client: RegisteredClient) -> bool:
        """Keep a registration; false when there are too many. Those never used go after a day."""
        sql = self._store.sql
        sql.execute("DELETE FROM oauth_client WHERE used IS NULL AND created < ?", (self.now - _UNUSED_S,))
        if sql.execute("SELECT count(*) FROM oauth_client").fetchone()[0] >= _CLIENTS:
            return False
        row = (client.id, client.name, json.dumps(client.redirects), client.secret, client.application, self.now)
        sql.execute("INSERT INTO oauth_client VALUES (?, ?, ?, ?, ?, ?, NULL)", row)
        return True

    def find_client(self, client_id: str) -> RegisteredClient | None:
        """A registered client."""
        row = self._store.sql.execute("SELECT * FROM oauth_client WHERE id = ?", (client_id,)).fetchone()
        if row is None:
            return None
        return RegisteredClient(
            row["id"], row["name"], tuple(json.loads(row["redirects"])), row["secret"], row["application"]
        )

    def note_client(self, client_id: str) -> None:
        """A person said yes to it, so it stays."""
        self._store.sql.execute("UPDATE oauth_client SET used = ? WHERE id = ?", (self.now, client_id))

    def add_request(self, request: AuthorizationRequest, browser: str) -> str:
        """Keep a question for ten minutes and name it; the oldest goes when a thousand wait."""
        sql, key = self._store.sql, secrets.token_urlsafe(32)
        sql.execute("DELETE FROM oauth_request WHERE expires < ?", (self.now,))
        sql.execute(
            "DELETE FROM oauth_request WHERE id IN "
            "(SELECT id FROM oauth_request ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
            (_PENDING - 1,),
        )
        values = (request.client, request.redirect, request.state, request.scope, request.resource, request.challenge)
        sql.execute(
            "INSERT INTO oauth_request VALUES (?, ?, NULL, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (hash_secret(key), hash_secret(browser), *values, self.now + REQUEST_S),
        )
        return key

    def find_request(self, key: str, browser: str) -> AuthorizationRequest | None:
        """A question that waits, if this is the browser it was asked in."""
        row = self._store.sql.execute(
            "SELECT client, redirect, state, scope, resource, challenge, session FROM oauth_request "
            "WHERE id = ? AND browser = ? AND used IS NULL AND expires >= ?",
            (hash_secret(key), hash_secret(browser), self.now),
        ).fetchone()
        return None if row is None else AuthorizationRequest(**row)

    def bind_request(self, key: str, session: str) -> bool:
        """Tie a question to the session that sees it; false when another one saw it first."""
        bound = self._store.sql.execute(
            "UPDATE oauth_request SET session = ? WHERE id = ? AND (session IS NULL OR session = ?)",
            (session, hash_secret(key), session),
        )
        return bound.rowcount == 1

    def release_request(self, key: str) -> None:
        """The person signs in as somebody else: the next session of this browser may see it."""
        self._store.sql.execute("UPDATE oauth_request SET session = NULL WHERE id = ?", (hash_secret(key),))

    def close_request(self, key: str, session: str) -> bool:
        """Answer a question, once; false when it was answered, has gone, or is another session's."""
        closed = self._store.sql.execute(
            "UPDATE oauth_request SET used = ? WHERE id = ? AND session = ? AND used IS NULL AND expires >= ?",
            (self.now, hash_secret(key), session, self.now),
        )
        return closed.rowcount == 1

    def add_grant(self, grant: OAuthGrant) -> None:
        """Keep what was allowed."""
        row = (grant.id, grant.account, grant.client, grant.client_name, grant.organisation, grant.role)
        more = (grant.community, grant.scope, grant.resource, grant.created, grant.expires)
        self._store.sql.execute(
            "INSERT INTO oauth_grant VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)", (*row, *more)
        )

    def find_grant(self, grant_id: str) -> OAuthGrant | None:
        """A grant that is alive."""
        row = self._store.sql.execute(
            "SELECT * FROM oauth_grant WHERE id = ? AND ended IS NULL AND expires > ?", (grant_id, self.now)
        ).fetchone()
        return None if row is None else OAuthGrant(**row)

    def list_grants(self, organisation: str | None = None, account: str | None = None) -> list[OAuthGrant]:
        """Grants that are alive, newest first; of one organisation, of one person, or all."""
        rows = self._store.sql.execute(
            "SELECT * FROM oauth_grant WHERE organisation = coalesce(?, organisation) "
            "AND account = coalesce(?, account) AND ended IS NULL AND expires > ? ORDER BY created DESC, rowid DESC",
            (organisation, account, self.now),
        )
        return [OAuthGrant(**row) for row in rows]

    def note_grant(self, grant_id: str) -> None:
        """Remember that it is in use."""
        self._store.sql.execute("UPDATE oauth_grant SET used = ? WHERE id = ?", (self.now, grant_id))

    def end_grant(self, grant_id: str) -> None:
        """End it: no code or refresh token of it is good any more."""
        self._store.sql.execute("UPDATE oauth_grant SET ended = ? WHERE id = ? AND ended IS NULL", (self.now, grant_id))

    def add_code(self, grant_id: str, redirect: str, challenge: str) -> str:
        """A code for a minute."""
        code = secrets.token_urlsafe(32)
        self._store.sql.execute("DELETE FROM oauth_code WHERE expires < ?", (self.now - GRANT_S,))
        self._store.sql.execute(
            "INSERT INTO oauth_code VALUES (?, ?, ?, ?, ?, NULL)",
            (hash_secret(code), grant_id, redirect, challenge, self.now + CODE_S),
        )
        return code

    def take_code(self, code: str) -> dict[str, Any] | None:
        """Use up a code, in one statement, so that of many who try one succeeds."""
        return self._take("oauth_code", code)

    def find_code_owner(self, code: str) -> str | None:
        """The grant of a code, used or not."""
        return self._find_owner("oauth_code", code)

    def add_refresh(self, grant: OAuthGrant) -> str:
        """A refresh token, good until it is used, has slept a month, or the grant is over."""
        token = secrets.token_urlsafe(32)
        self._store.sql.execute("DELETE FROM oauth_refresh WHERE expires < ?", (self.now - REFRESH_S,))
        self._store.sql.execute(
            "INSERT INTO oauth_refresh VALUES (?, ?, ?, NULL)",
            (hash_secret(token), grant.id, min(self.now + REFRESH_S, grant.expires)),
        )
        return token

    def take_refresh(self, token: str) -> dict[str, Any] | None:
        """Use up a refresh token, in one statement."""
        return self._take("oauth_refresh", token)

    def find_refresh(self, token: str) -> dict[str, Any] | None:
        """A refresh token, used or not."""
        row = self._store.sql.execute("SELECT * FROM oauth_refresh WHERE hash = ?", (hash_secret(token),)).fetchone()
        return None if row is None else dict(row)

    def _take(self, table: str, secret: str) -> dict[str, Any] | None:
        row = self._store.sql.execute(
            f"UPDATE {table} SET used = ? WHERE hash = ? AND used IS NULL RETURNING *",  # noqa: S608 - two fixed words
            (self.now, hash_secret(secret)),
        ).fetchone()
        return None if row is None else dict(row)

    def _find_owner(self, table: str, secret: str) -> str | None:
        row = self._store.sql.execute(
            f"SELECT grant_id FROM {table} WHERE hash = ?",  # noqa: S608 - two fixed words
            (hash_secret(secret),),
        ).fetchone()
        return None if row is None else str(row["grant_id"])


def hash_secret(secret: str) -> str:
    """The form in which a secret is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
