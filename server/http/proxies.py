"""Which proxy is on the way to a host: none, the one the environment names for it, or the one an operator names."""

from collections.abc import Mapping
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed leaves it out

from server.http.polling import is_loopback
from server.http.port import FindProxy

NONE, ENVIRONMENT = "none", "environment"


def build_finder(choice: str, environment: Mapping[str, str]) -> FindProxy:
    """A finder for the way out; this machine itself is never behind a proxy, and what is not https never goes over one.

    Parameters:
        choice: `none`, `environment` or the URL of a proxy, which may carry credentials.
        environment: where HTTPS_PROXY, ALL_PROXY and NO_PROXY are looked for, in capitals or not, small ones first.
    """
    if choice == NONE:
        return lambda _scheme, _host, _port: None
    named = choice if choice != ENVIRONMENT else _read(environment, "https_proxy") or _read(environment, "all_proxy")
    excepted = {"no": _read(environment, "no_proxy") or ""} if choice == ENVIRONMENT else {"no": ""}

    def find(scheme: str, host: str, port: int) -> str | None:
        if scheme != "https" or named is None or is_loopback(host):
            return None
        return None if proxy_bypass_environment(f"{host}:{port}", excepted) else named

    return find


def _read(environment: Mapping[str, str], name: str) -> str | None:
    found = environment.get(name) or environment.get(name.upper()) or None
    return found if found is None or name == "no_proxy" or "://" in found else f"http://{found}"
