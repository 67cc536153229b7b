"""Putting the OAuth door together: from settings to who is let in there, and with what its calls go upstream."""

from collections.abc import Callable
from dataclasses import dataclass

from server.credentials.oauth_client import OAuthClient
from server.http.port import Send
from server.identity.claims import ExpectedClaims
from server.identity.dead_tokens import DeadTokens
from server.identity.introspection import IntrospectionVerifier
from server.identity.jwks import PublishedKeys
from server.identity.revocations import (
    CombinedRevocations,
    FollowedRevocations,
    RevocationFeed,
    Revocations,
    SharedRevocations,
)
from server.identity.verifier import Identifier, KeyVerifier, Verifier
from server.observability.metrics import Sample
from server.observability.telemetry import Telemetry
from server.pipeline.door_authentication import DoorAuthenticator, FindTenant
from server.settings import Settings
from server.upstream.credentials import Passthrough, ServiceCredential, UpstreamCredential
from server.upstream.token_exchange import ExchangeEndpoint, TokenExchange


@dataclass(frozen=True, slots=True)
class OAuthWay:
    """What the OAuth door consists of; `identifier` has to be kept fresh while the server runs."""

    authenticator: DoorAuthenticator
    identifier: Identifier
    credential: UpstreamCredential


def build_oauth_way(
    settings: Settings,
    send: Send,
    directory: FindTenant,
    revocations: Revocations,
    telemetry: Telemetry,
) -> OAuthWay | None:
    """The OAuth door of these settings; None when there is none.

    Parameters:
        revocations: of the static door, which hold here too.
    """
    if settings.oauth_issuer is None:
        return None
    followed = revocations if settings.auth_verify == "upstream" else FollowedRevocations(revocations)
    identifier = _build_identifier(settings, send, followed, telemetry)
    dead = DeadTokens()

    def bury(digest: str, until: float) -> None:
        dead.add(digest, until)
        identifier.forget(digest)

    credential = _build_credential(settings, send, bury, telemetry)
    return OAuthWay(DoorAuthenticator(identifier, directory, dead), identifier, credential)


def read_types(settings: Settings) -> frozenset[str | None]:
    """The `typ` headers that both doors accept, lower case; None stands for absent."""
    return frozenset(None if word == "none" else word.lower() for word in settings.auth_types)


def build_client(settings: Settings) -> OAuthClient | None:
    """This server as a client of the authorization server, with its secret proven readable.

    Raises:
        ValueError: the secret's file cannot be used.
    """
    if settings.oauth_client_id is None or settings.oauth_client_secret_file is None:
        return None
    client = OAuthClient(settings.oauth_client_id, settings.oauth_client_secret_file)
    client.build_headers()
    return client


def build_static_credential(settings: Settings, verifier: Verifier) -> UpstreamCredential:
    """What callers of the static door go upstream with."""
    if settings.upstream_credential == "service":
        return ServiceCredential(settings.upstream_identity_header)
    return Passthrough(verifier.forget)


def build_revocations(settings: Settings, send: Send, revoked: SharedRevocations) -> Revocations:
    """Where both doors learn of revoked tokens."""
    return (
        revoked
        if settings.revocations_url is None
        else CombinedRevocations(RevocationFeed(settings.revocations_url, send), revoked)
    )


def _build_identifier(settings: Settings, send: Send, revocations: Revocations, telemetry: Telemetry) -> Identifier:
    expected = ExpectedClaims(
        issuer=settings.oauth_issuer,
        audience=None,  # each request's own door, compared at each call
        kinds=None,
        types=read_types(settings),
        skew_s=settings.auth_skew_s,
        organisation_claim=settings.oauth_organisation_claim,
        roles_claim=settings.oauth_roles_claim,
        oauth=True,
    )
    if settings.oauth_introspection_url is None:
        keys = PublishedKeys(settings.oauth_jwks_url or settings.auth_jwks_url or "", send)
        return KeyVerifier(keys, revocations, expected)
    client = build_client(settings)
    assert client is not None  # noqa: S101 - Settings demands both halves of it
    verifier = IntrospectionVerifier(
        settings.oauth_introspection_url,
        send,
        client,
        expected,
        revocations,
        keep_s=settings.oauth_introspection_cache_s,
    )
    telemetry.sample(Sample.INTROSPECTIONS, lambda: verifier.lookups)
    return verifier


def _build_credential(
    settings: Settings, send: Send, bury: Callable[[str, float], None], telemetry: Telemetry
) -> UpstreamCredential:
    client = build_client(settings)
    if settings.oauth_upstream == "service" or settings.oauth_exchange_url is None or client is None:
        return ServiceCredential(settings.upstream_identity_header)
    endpoint = ExchangeEndpoint(
        settings.oauth_exchange_url, client, settings.oauth_exchange_audience, settings.oauth_organisation_claim
    )
    exchange = TokenExchange(endpoint, send, bury)
    telemetry.sample(Sample.TOKEN_EXCHANGES, lambda: exchange.exchanges)
    telemetry.sample(Sample.TOKEN_EXCHANGE_HITS, lambda: exchange.hits)
    return exchange
