"""Who may ask for access: registered clients (RFC 7591), clients named by their document, and the server itself."""

import base64
import binascii
import hmac
import json
import re
import secrets
from collections import deque
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from server.sandbox.oauth.errors import OAuthError
from server.sandbox.oauth.records import OAuthRecords, RegisteredClient, hash_secret
from server.sandbox.oauth.redirects import is_allowed

DOCUMENT_CAP, _REDIRECTS, _A_MINUTE, _NAME_CAP = 5_000, 10, 20, 80
_BASIC = re.compile(r"[Bb]asic +([A-Za-z0-9+/=]{1,2000})")


class ClientRegistry:
    """Finds, registers and authenticates clients.

    Parameters:
        documents: client metadata documents by their URL; empty where clients cannot be named that way. Nothing is ever
            fetched: what an URL stands for is what the person who started the sandbox wrote down.
        own: the id and secret of the MCP server, the one client that may exchange and introspect.
    """

    def __init__(self, records: OAuthRecords, documents: Mapping[str, Any], own: RegisteredClient) -> None:
        self._records = records
        self._documents = documents
        self._own = own
        self._recent: deque[int] = deque(maxlen=_A_MINUTE)

    @property
    def takes_documents(self) -> bool:
        """Whether a client can be named by the URL of its metadata document."""
        return bool(self._documents)

    def find(self, client_id: str) -> RegisteredClient | None:
        """The client of an id, whichever way it came to have it."""
        if client_id == self._own.id:
            return self._own
        if client_id.startswith("https://"):
            return self._read_document(client_id)
        return self._records.find_client(client_id)

    def authenticate(self, authorization: str | None, fields: Mapping[str, str]) -> RegisteredClient:
        """The client behind a request to the token endpoint or a sibling (RFC 6749 section 2.3.1).

        Raises:
            OAuthError: invalid_client, 401; clients register again at that.
        """
        client_id, secret = fields.get("client_id", ""), None
        if authorization is not None:
            client_id, secret = _read_basic(authorization, client_id)
        client = self.find(client_id)
        if client is None or not _proves(client, secret):
            raise OAuthError("invalid_client", "The client is unknown or did not prove who it is.", 401)
        return client

    def authenticate_own(self, authorization: str | None) -> RegisteredClient:
        """The MCP server, and nobody else.

        Raises:
            OAuthError: invalid_client or unauthorized_client.
        """
        if authorization is None:
            raise OAuthError("invalid_client", "The client must prove who it is.", 401)
        if self.authenticate(authorization, {}).id != self._own.id:
            raise OAuthError("unauthorized_client", "The client may not do this.")
        return self._own

    def register(self, body: bytes) -> dict[str, Any]:
        """Take in a new client.

        Raises:
            OAuthError: invalid_redirect_uri or invalid_client_metadata; 429 after twenty in a minute.
        """
        given = _read_metadata(body)
        redirects = _read_redirects(given)
        self._count()
        method = "client_secret_basic" if given.get("token_endpoint_auth_method") == "client_secret_basic" else "none"
        secret = secrets.token_urlsafe(32) if method != "none" else None
        application = "web" if given.get("application_type") == "web" else "native"
        hashed = None if secret is None else hash_secret(secret)
        client = RegisteredClient(f"c-{secrets.token_hex(12)}", _read_name(given), redirects, hashed, application)
        if not self._records.add_client(client):
            raise OAuthError("temporarily_unavailable", "Too many clients are registered; try again tomorrow.", 503)
        told = {
            "client_id": client.id,
            "client_id_issued_at": self._records.now,
            "client_name": client.name,
            "redirect_uris": list(redirects),
            "token_endpoint_auth_method": method,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "application_type": application,
            "scope": "nudj:read nudj:write",
        }
        return told if secret is None else {**told, "client_secret": secret, "client_secret_expires_at": 0}

    def _count(self) -> None:
        now = self._records.now
        if len(self._recent) == _A_MINUTE and now - self._recent[0] < 60:
            raise OAuthError("temporarily_unavailable", "Too many registrations: wait a minute.", 429)
        self._recent.append(now)

    def _read_document(self, client_id: str) -> RegisteredClient | None:
        """A client by its metadata document (draft-ietf-oauth-client-id-metadata-document); None for an unfit one."""
        document = self._documents.get(client_id)
        if not isinstance(document, dict) or document.get("client_id") != client_id or not _is_sound(client_id):
            return None
        if len(json.dumps(document)) > DOCUMENT_CAP or not _may_be_public(document):
            return None
        try:
            return RegisteredClient(client_id, _read_name(document), _read_redirects(document))
        except OAuthError:
            return None


def _proves(client: RegisteredClient, secret: str | None) -> bool:
    if client.secret is None:
        return secret is None or secret == ""
    return secret is not None and hmac.compare_digest(hash_secret(secret), client.secret)


def _read_basic(authorization: str, named: str) -> tuple[str, str]:

    found = _BASIC.fullmatch(authorization.strip())
    try:
        text = base64.b64decode(found[1], validate=True).decode() if found else ""
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    client_id, colon, secret = text.partition(":")
    client_id, secret = unquote_plus(client_id), unquote_plus(secret)
    if not colon or named not in ("", client_id):
        raise OAuthError("invalid_client", "The client did not prove who it is.", 401)
    return client_id, secret


def _read_metadata(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise OAuthError("invalid_client_metadata", "The body is not a JSON object.")
    return given


def _read_redirects(given: Mapping[str, Any]) -> tuple[str, ...]:
    uris = given.get("redirect_uris")
    if not isinstance(uris, list) or not 1 <= len(uris) <= _REDIRECTS or not all(isinstance(uri, str) for uri in uris):
        raise OAuthError("invalid_redirect_uri", f"redirect_uris must have 1 to {_REDIRECTS} URIs.")
    if not all(map(is_allowed, uris)):
        raise OAuthError("invalid_redirect_uri", "A redirect URI must be https, or http on this machine (loopback).")
    return tuple(uris)


def _read_name(given: Mapping[str, Any]) -> str:
    name = given.get("client_name")
    shown = "".join(sign for sign in name if sign.isprintable())[:_NAME_CAP].strip() if isinstance(name, str) else ""
    return shown or "a client without a name"


def _is_sound(client_id: str) -> bool:
    parts = urlsplit(client_id)
    dots = {".", ".."} & set(parts.path.split("/"))
    return (
        bool(parts.hostname)
        and parts.path not in ("", "/")
        and "@" not in parts.netloc
        and not (dots or parts.fragment)
    )


def _may_be_public(document: Mapping[str, Any]) -> bool:
    """Some documents prefer a key and list `none` beside it."""
    several = document.get("token_endpoint_auth_methods_supported")
    methods = several if isinstance(several, list) else [document.get("token_endpoint_auth_method", "none")]
    return "none" in methods
