"""The one spelling of an API domain, and the likely slip behind every other one."""

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.http.polling import is_loopback

SUFFIX = "/api/v2/admin"
FORM = f"https://<subdomain>.nudj.cx{SUFFIX}"
_LENGTH_CAP = 300
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_DEFAULT_PORT = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class DomainFault:
    """Why a domain is not canonical: a word for programs, a sentence, and what to write instead."""

    reason: str
    message: str
    hint: str = f"Copy the value from the admin panel; it looks like {FORM}."


def find_fault(domain: str) -> DomainFault | None:
    """The first thing that keeps a domain from being the canonical `scheme://host[:port]/api/v2/admin`."""
    for found in (_check_whole(domain), _check_scheme(domain), _check_path(domain)):
        if found is not None:
            return found
    scheme, _, rest = domain.partition("://")
    host, _, port = rest.removesuffix(SUFFIX).partition(":")
    return _check_host(host) or _check_port(scheme, port, ":" in rest) or _is_plain_allowed(scheme, host)


def split_host_and_port(domain: str) -> tuple[str, int]:
    """Where a canonical domain is served."""
    scheme, _, rest = domain.partition("://")
    host, _, port = rest.removesuffix(SUFFIX).partition(":")
    return host, int(port or _DEFAULT_PORT[scheme])


_ANYWHERE: Sequence[tuple[Callable[[str], bool], DomainFault]] = (
    (lambda domain: not domain, DomainFault("empty", "x-api-domain is present but empty.")),
    (lambda domain: len(domain) > _LENGTH_CAP, DomainFault("too_long", "x-api-domain is far too long.")),
    (
        lambda domain: "${" in domain,
        DomainFault(
            "unexpanded_variable",
            "x-api-domain contains a literal ${...}: the client did not expand the variable.",
            "Set that environment variable where the client starts, or write the domain itself.",
        ),
    ),
    (
        lambda domain: any(sign.isspace() for sign in domain) or (domain.isascii() and not domain.isprintable()),
        DomainFault(
            "whitespace", "x-api-domain has white space around or inside it.", "Paste it again without spaces."
        ),
    ),
    (
        lambda domain: not domain.isascii(),
        DomainFault(
            "not_ascii", "x-api-domain has a character outside plain ASCII.", "Type it again, in plain letters."
        ),
    ),
    (lambda domain: "\\" in domain, DomainFault("backslash", "x-api-domain has a backslash.")),
    (lambda domain: "%" in domain, DomainFault("encoded", "x-api-domain has a percent sign.")),
    (lambda domain: "@" in domain, DomainFault("userinfo", "x-api-domain has a user name or an @ in it.")),
    (
        lambda domain: "?" in domain,
        DomainFault("query", "x-api-domain has a query.", "Leave out the ? and what follows."),
    ),
    (
        lambda domain: "#" in domain,
        DomainFault("fragment", "x-api-domain has a fragment.", "Leave out the # and the rest."),
    ),
    (
        lambda domain: domain != domain.lower(),
        DomainFault("upper_case", "x-api-domain has capital letters.", "Write it in lower case."),
    ),
)


def _check_whole(domain: str) -> DomainFault | None:
    return next((found for applies, found in _ANYWHERE if applies(domain)), None)


def _check_scheme(domain: str) -> DomainFault | None:
    scheme, mark, _rest = domain.partition("://")
    if not mark or scheme not in ("http", "https"):
        return DomainFault(
            "no_scheme", "x-api-domain does not start with https://.", f"Write the whole value, like {FORM}."
        )
    return None


def _check_path(domain: str) -> DomainFault | None:
    _authority, slash, path = domain.partition("://")[2].partition("/")
    path = slash + path
    if path == SUFFIX + "/":
        return DomainFault("trailing_slash", "x-api-domain ends with a slash.", f"Leave it out: it ends with {SUFFIX}.")
    if path != SUFFIX:
        return DomainFault("missing_suffix", f"x-api-domain does not end with {SUFFIX} right after the host.")
    return None


def _check_host(host: str) -> DomainFault | None:
    if host.endswith("."):
        return DomainFault("trailing_dot", "The host of x-api-domain ends with a dot.", "Leave the dot out.")
    if _is_address(host) and not is_loopback(host):
        return DomainFault("ip_address", "The host of x-api-domain is a number and not a name.")
    if _HOST.fullmatch(host) is None:
        return DomainFault("host", "The host of x-api-domain is not a host name.")
    return None


def _is_address(host: str) -> bool:
    # Resolvers also take 2130706433, 0x7f.1 and 017700000001 for addresses; a real name's last label is never a number.
    last = host.rpartition(".")[2]
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.startswith("[") or last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None
    return True


def _check_port(scheme: str, port: str, given: bool) -> DomainFault | None:
    if not given:
        return None
    if _PORT.fullmatch(port) is None or int(port) > 65535:
        return DomainFault("port", "The port of x-api-domain is not a port number.")
    if port == _DEFAULT_PORT[scheme]:
        return DomainFault("port", "x-api-domain names the port that its scheme implies.", f"Leave out :{port}.")
    return None


def _is_plain_allowed(scheme: str, host: str) -> DomainFault | None:
    if scheme == "http" and not is_loopback(host):
        return DomainFault("http_not_https", "x-api-domain starts with http://.", "Write https:// instead.")
    return None
