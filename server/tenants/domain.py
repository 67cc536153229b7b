"""The one spelling of an API domain, and the likely slip behind every other one."""

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.polled import is_loopback

SUFFIX = "/api/v2/admin"
FORM = f"https://<subdomain>.nudj.cx{SUFFIX}"
_LENGTH_CAP = 300
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_DEFAULT_PORT = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class Slip:
    """Why a domain is not canonical: a word for programs, a sentence, and what to write instead."""

    reason: str
    message: str
    hint: str = f"Copy the value from the admin panel; it looks like {FORM}."


def slip(domain: str) -> Slip | None:
    """The first thing that keeps a domain from being the canonical `scheme://host[:port]/api/v2/admin`."""
    for found in (_whole(domain), _scheme(domain), _path(domain)):
        if found is not None:
            return found
    scheme, _, rest = domain.partition("://")
    host, _, port = rest.removesuffix(SUFFIX).partition(":")
    return _host(host) or _port(scheme, port, ":" in rest) or _plain(scheme, host)


def host_and_port(domain: str) -> tuple[str, int]:
    """Where a canonical domain is served."""
    scheme, _, rest = domain.partition("://")
    host, _, port = rest.removesuffix(SUFFIX).partition(":")
    return host, int(port or _DEFAULT_PORT[scheme])


_ANYWHERE: Sequence[tuple[Callable[[str], bool], Slip]] = (
    (lambda domain: not domain, Slip("empty", "x-api-domain is present but empty.")),
    (lambda domain: len(domain) > _LENGTH_CAP, Slip("too_long", "x-api-domain is far too long.")),
    (
        lambda domain: "${" in domain,
        Slip(
            "unexpanded_variable",
            "x-api-domain contains a literal ${...}: the client did not expand the variable.",
            "Set that environment variable where the client starts, or write the domain itself.",
        ),
    ),
    (
        lambda domain: any(sign.isspace() for sign in domain) or (domain.isascii() and not domain.isprintable()),
        Slip("whitespace", "x-api-domain has white space around or inside it.", "Paste it again without spaces."),
    ),
    (
        lambda domain: not domain.isascii(),
        Slip("not_ascii", "x-api-domain has a character outside plain ASCII.", "Type it again, in plain letters."),
    ),
    (lambda domain: "\\" in domain, Slip("backslash", "x-api-domain has a backslash.")),
    (lambda domain: "%" in domain, Slip("encoded", "x-api-domain has a percent sign.")),
    (lambda domain: "@" in domain, Slip("userinfo", "x-api-domain has a user name or an @ in it.")),
    (lambda domain: "?" in domain, Slip("query", "x-api-domain has a query.", "Leave out the ? and what follows.")),
    (lambda domain: "#" in domain, Slip("fragment", "x-api-domain has a fragment.", "Leave out the # and the rest.")),
    (
        lambda domain: domain != domain.lower(),
        Slip("upper_case", "x-api-domain has capital letters.", "Write it in lower case."),
    ),
)


def _whole(domain: str) -> Slip | None:
    return next((found for applies, found in _ANYWHERE if applies(domain)), None)


def _scheme(domain: str) -> Slip | None:
    scheme, mark, _rest = domain.partition("://")
    if not mark or scheme not in ("http", "https"):
        return Slip("no_scheme", "x-api-domain does not start with https://.", f"Write the whole value, like {FORM}.")
    return None


def _path(domain: str) -> Slip | None:
    _authority, slash, path = domain.partition("://")[2].partition("/")
    path = slash + path
    if path == SUFFIX + "/":
        return Slip("trailing_slash", "x-api-domain ends with a slash.", f"Leave it out: it ends with {SUFFIX}.")
    if path != SUFFIX:
        return Slip("missing_suffix", f"x-api-domain does not end with {SUFFIX} right after the host.")
    return None


def _host(host: str) -> Slip | None:
    if host.endswith("."):
        return Slip("trailing_dot", "The host of x-api-domain ends with a dot.", "Leave the dot out.")
    if _is_address(host) and not is_loopback(host):
        return Slip("ip_address", "The host of x-api-domain is a number and not a name.")
    if _HOST.fullmatch(host) is None:
        return Slip("host", "The host of x-api-domain is not a host name.")
    return None


def _is_address(host: str) -> bool:
    # Resolvers also take 2130706433, 0x7f.1 and 017700000001 for addresses; a real name's last label is never a number.
    last = host.rpartition(".")[2]
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.startswith("[") or last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None
    return True


def _port(scheme: str, port: str, given: bool) -> Slip | None:
    if not given:
        return None
    if _PORT.fullmatch(port) is None or int(port) > 65535:
        return Slip("port", "The port of x-api-domain is not a port number.")
    if port == _DEFAULT_PORT[scheme]:
        return Slip("port", "x-api-domain names the port that its scheme implies.", f"Leave out :{port}.")
    return None


def _plain(scheme: str, host: str) -> Slip | None:
    if scheme == "http" and not is_loopback(host):
        return Slip("http_not_https", "x-api-domain starts with http://.", "Write https:// instead.")
    return None
