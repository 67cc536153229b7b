"""Grants turned into tokens: codes redeemed, tokens refreshed and revoked, membership read again each time."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from server.sandbox.accounts import Account
from server.sandbox.entities import COMMUNITY
from server.sandbox.faults import Fault
from server.sandbox.oauth.errors import OAuthError
from server.sandbox.oauth.records import GRANT_S, AuthorizationRequest, OAuthGrant, OAuthRecords, RegisteredClient
from server.sandbox.oauth.resources import Resources
from server.sandbox.roles import ROLES
from server.sandbox.store import EntityStore
from server.sandbox.tokens import Order, Tokens

READ, WRITE = "nudj:read", "nudj:write"
SCOPES = (READ, WRITE)
GRACE_S = 30
"""Two programs that share one refresh token may use it at once; the later one is not a thief."""

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class Issuance:
    """Makes access and refresh tokens of grants, and ends grants.

    Parameters:
        find_account: a person as known now.
        slugs: subdomain by organisation id.
        access_s: lifetime of an access token, > 0.
    """

    def __init__(
        self,
        records: OAuthRecords,
        tokens: Tokens,
        store: EntityStore,
        find_account: Callable[[str], Account | None],
        slugs: Mapping[str, str],
        resources: Resources,
        *,
        access_s: int = 3600,
    ) -> None:
        self._records = records
        self._tokens = tokens
        self._store = store
        self._find_account = find_account
        self._slugs = slugs
        self._resources = resources
        self._access_s = access_s

    def allow(
        self,
        account: Account,
        client: RegisteredClient,
        asked: AuthorizationRequest,
        place: tuple[str, str, str | None],
        scope: str,
    ) -> str:
        """A person said yes: the code for the client.

        Parameters:
            place: id of the organisation, role, and the community it is limited to or None.
            scope: what was granted.
        """
        organisation, role, community = place
        now = self._records.now
        grant = OAuthGrant(
            id=secrets.token_hex(12),
            account=account.id,
            client=client.id,
            client_name=client.name,
            organisation=organisation,
            role=role,
            community=community,
            scope=scope,
            resource=asked.resource,
            created=now,
            expires=now + GRANT_S,
        )
        self._records.add_grant(grant)
        self._records.note_client(client.id)
        return self._records.add_code(grant.id, asked.redirect, asked.challenge)

    def redeem(self, client: RegisteredClient, fields: Mapping[str, str]) -> dict[str, Any]:
        """The tokens for a code. A code that comes twice has been seen by somebody else too, so its grant ends.

        Raises:
            OAuthError: invalid_grant or invalid_target.
        """
        code = fields.get("code", "")
        row = self._records.take_code(code)
        if row is None:
            owner = self._records.find_code_owner(code)
            if owner is not None:
                self.end(owner)
            _refuse_grant("The code is unknown or was used.")
        grant = self._find_own(row["grant_id"], client)
        if row["expires"] < self._records.now or fields.get("redirect_uri") != row["redirect"]:
            self.end(grant.id)
            _refuse_grant("The code has expired or was made for another redirect URI.")
        if not _fits(fields.get("code_verifier", ""), row["challenge"]):
            self.end(grant.id)
            _refuse_grant("The code verifier is not the one of the request.")
        self._check_resource(grant, fields)
        return self._issue(grant, grant.scope) | {"refresh_token": self._records.add_refresh(grant)}

    def refresh(self, client: RegisteredClient, fields: Mapping[str, str]) -> dict[str, Any]:
        """Another access token, and a refresh token that takes the place of the one used.

        The one before is good for 30 s more, for an access token alone; used later it ends the grant.

        Raises:
            OAuthError: invalid_grant, invalid_target or invalid_scope.
        """
        row = self._records.find_refresh(fields.get("refresh_token", ""))
        if row is None:
            _refuse_grant("The refresh token is unknown.")
        grant = self._find_own(row["grant_id"], client)
        self._check_resource(grant, fields)
        scope = narrow_scope(grant.scope, fields.get("scope", ""))
        now = self._records.now
        if row["expires"] < now:
            _refuse_grant("The refresh token has expired.")
        if self._records.take_refresh(fields["refresh_token"]) is not None:
            return self._issue(grant, scope) | {"refresh_token": self._records.add_refresh(grant)}
        if row["used"] is not None and row["used"] + GRACE_S < now:
            self.end(grant.id)
            _refuse_grant("The refresh token was used before, so the connection was ended.")
        return self._issue(grant, scope)

    def revoke(self, client: RegisteredClient, token: str) -> None:
        """End the grant a token belongs to, if it is this client's; a client cannot tell any other from none."""
        row = self._records.find_refresh(token)
        grant_id = row["grant_id"] if row else self._read_grant_id(token)
        grant = self._records.find_grant(grant_id) if grant_id else None
        if grant is not None and grant.client == client.id:
            self.end(grant.id)

    def end(self, grant_id: str) -> None:
        """End a grant with every token that came out of it."""
        self._records.end_grant(grant_id)
        self._tokens.revoke_session(grant_id)

    def end_lost(self) -> None:
        """End every grant whose person has lost what it was based on."""
        for grant in self._records.list_grants():
            if not self.is_founded(grant):
                self.end(grant.id)

    def is_founded(self, grant: OAuthGrant) -> bool:
        """Whether the person still belongs to the organisation and holds the role, and the community is still there."""
        account = self._find_account(grant.account)
        if account is None or self._slugs.get(grant.organisation) not in account.organisations:
            return False
        if ROLES.index(grant.role) > ROLES.index(account.role):
            return False
        community = grant.community
        return community is None or self._store.find(grant.organisation, COMMUNITY.kind, community) is not None

    def find_founded(self, grant_id: str) -> OAuthGrant | None:
        """A grant that is alive and still founded; one that lost its ground ends here."""
        grant = self._records.find_grant(grant_id)
        if grant is not None and not self.is_founded(grant):
            self.end(grant.id)
            return None
        return grant

    def read_access(self, token: str) -> tuple[dict[str, Any], OAuthGrant] | None:
        """The claims of an access token of ours that is alive, with its grant; None for any other."""
        try:
            claims = self._tokens.read(token, None)
        except Fault:
            return None
        grant = self.find_founded(str(claims.get("grant", "")))
        fits = claims.get("type") == "oauth" and grant is not None and claims["aud"] == grant.resource
        return (claims, grant) if grant is not None and fits and self._resources.is_known(grant.resource) else None

    def _issue(self, grant: OAuthGrant, scope: str) -> dict[str, Any]:
        self._records.note_grant(grant.id)
        lasts = min(self._access_s, grant.expires - self._records.now)
        claims = {"aud": grant.resource, "client_id": grant.client, "scope": scope, "grant": grant.id}
        order = Order(
            grant.organisation,
            grant.account,
            grant.role,
            grant.community,
            "oauth",
            lasts,
            name=grant.client_name,
            session=grant.id,
            claims=claims,
            typ="at+jwt",
        )
        return {
            "access_token": self._tokens.mint(order),
            "token_type": "Bearer",
            "expires_in": lasts,
            "scope": scope,
        }

    def _find_own(self, grant_id: str, client: RegisteredClient) -> OAuthGrant:
        grant = self._records.find_grant(grant_id)
        if grant is None or grant.client != client.id:
            _refuse_grant("There is no such grant of this client.")
        if not self.is_founded(grant):
            self.end(grant.id)
            _refuse_grant("The person has lost the membership or role that was granted.")
        return grant

    def _check_resource(self, grant: OAuthGrant, fields: Mapping[str, str]) -> None:
        if fields.get("resource", grant.resource) != grant.resource:
            raise OAuthError("invalid_target", "The grant is for another resource.")

    def _read_grant_id(self, token: str) -> str | None:
        found = self.read_access(token)
        return None if found is None else found[1].id


def narrow_scope(granted: str, asked: str) -> str:
    """What is asked for of what was granted, all of it when nothing is; words that mean nothing here are ignored.

    Raises:
        OAuthError: invalid_scope when more is asked than was granted.
    """
    known = [word for word in SCOPES if word in asked.split()]
    if not known:
        return granted
    if not set(known) <= set(granted.split()):
        raise OAuthError("invalid_scope", "More was asked for than was granted.")
    return " ".join(known)


def _fits(verifier: str, challenge: str) -> bool:
    """PKCE with S256 (RFC 7636 section 4.6); a verifier of another form never fits."""
    if _VERIFIER.fullmatch(verifier) is None:
        return False
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode())


def _refuse_grant(description: str) -> NoReturn:
    raise OAuthError("invalid_grant", description)
