"""Which server a command speaks to, and with whose token: a deployment by URL, or one started here over stdio."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from server.clients import keychain
from server.clients.client import DOMAIN, TOKEN
from server.clients.faults import ConfigError
from server.clients.own_process import isolate_ourselves
from server.clients.target import check_domain, check_url, read_subdomain
from server.doctor.client_setup import LocalSetup, RemoteSetup, Setup


def add_connection_flags(parser: argparse.ArgumentParser) -> None:
    """Give the parser the flags that name a server and a token."""
    group = parser.add_argument_group("server and token (default: a server started here, token from the environment)")
    group.add_argument("--url", help="speak to this deployment (/mcp) instead of a server started here")
    group.add_argument("--trust", type=Path, help="CA file that may vouch for the host of --url, and for no other")
    group.add_argument("--profile", help="token and organisation of this keychain profile (see nudj-mcp login)")
    group.add_argument("--profile-file", type=Path, help="token and organisation of this file of nudj-mcp login")
    group.add_argument("--domain", help=f"the organisation's API, instead of {DOMAIN}")


def find_server(arguments: argparse.Namespace, around: Mapping[str, str]) -> Setup:
    """What to speak to, with the credentials of profile or environment.

    Raises:
        ConfigError: URL or domain cannot be one, or there is no token.
        KeychainError: the profile cannot be read.
    """
    token, domain = around.get(TOKEN), arguments.domain or around.get(DOMAIN)
    if arguments.profile is not None or arguments.profile_file is not None:
        kept = keychain.read(arguments.profile or keychain.DEFAULT, file=arguments.profile_file)
        token, domain = kept.token.reveal(), kept.domain
    api_token = None if token else around.get("NUDJ_API_TOKEN")
    if not token and not api_token:
        raise ConfigError(
            f"There is no token: {TOKEN} is not set.", "Set it, or name a --profile of nudj-mcp login.", "no_token"
        )
    if domain is not None:
        check_domain(domain)
    if arguments.url is None:
        given = {TOKEN: token} if token else {}
        own = isolate_ourselves(
            {**around, **given, **({DOMAIN: domain} if domain else {})}, "stdio", "--log-level", "error"
        )
        return LocalSetup(own.command, own.environment)
    check_url(arguments.url)
    headers = [("x-api-token", api_token)] if api_token else [("Authorization", f"Bearer {_strip_scheme(token or '')}")]
    if domain is not None and read_subdomain(arguments.url) is None:
        headers.append(("x-api-domain", domain))
    return RemoteSetup(arguments.url, tuple(headers))


def _strip_scheme(token: str) -> str:
    return token[7:] if token.lower().startswith("bearer ") else token
