"""Where a client is to go: one URL and one organisation, judged alike for writing a block and for diagnosing one."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from server.clients.faults import ConfigError
from server.http.polling import is_loopback
from server.tenants.domain import FORM, SUFFIX, find_fault

DEFAULT_URL = "https://mcp.nudj.cx/mcp"

_SUBDOMAIN = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PREFIX = r"(?:/(?![ot]/)[A-Za-z0-9._~-]+)*?"
_DOOR = re.compile(rf"{_PREFIX}(?:(?P<oauth>/o)?(?:/t/(?P<subdomain>{_SUBDOMAIN}))?/mcp|/sse)")
"""Paths that lead to us, also behind a proxy that puts a prefix in front."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a block should lead to.

    Parameters:
        server: the name under which the client lists us.
        url: one of the deployment's doors.
        domain: the organisation's API, `https://<subdomain>.nudj.cx/api/v2/admin`; None leaves it to NUDJ_API_DOMAIN,
            a profile or the URL.
        command: what starts this program, its words before `stdio`.
        profile: keychain profile for stdio; None when the token comes from the environment.
        header_file: file of the Authorization line, for clients that expand nothing.
    """

    server: str
    url: str
    domain: str | None = None
    command: tuple[str, ...] = ("nudj-mcp",)
    profile: str | None = None
    header_file: str | None = None

    @property
    def kind(self) -> str:
        """How the door is spoken to: `http` or `sse`."""
        return "sse" if self.url.endswith("/sse") else "http"

    @property
    def signs_in(self) -> bool:
        """Whether the client gets its own token there (OAuth), so that a block names none."""
        found = _DOOR.fullmatch(urlsplit(self.url).path)
        return found is not None and found["oauth"] is not None

    @property
    def subdomain(self) -> str | None:
        """The organisation that the path names."""
        return read_subdomain(self.url)


def read_subdomain(url: str) -> str | None:
    """The organisation that a URL names in its path, as /t/{subdomain}/mcp does; None when it names none."""
    found = _DOOR.fullmatch(urlsplit(url).path)
    return None if found is None else found["subdomain"]


def check_url(url: str) -> SplitResult:
    """The parts of a URL that can be the server's.

    Raises:
        ConfigError: it cannot, or would send the token in the clear.
    """
    if any(sign.isspace() or not sign.isprintable() for sign in url):
        raise ConfigError("The URL has white space in it.", "Paste it again without.", "whitespace")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError("The URL has a port or host that cannot be.", "Correct it.", "bad_url") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError(
            "The URL does not start with https://.", f"Write the whole URL, like {DEFAULT_URL}.", "no_scheme"
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigError("The URL holds a user name or password.", "Leave it out: the token is a header.", "userinfo")
    if parts.scheme == "http" and not (is_loopback(host) or host.endswith(".localhost")):
        said = "The URL starts with http://, which would send the token in the clear."
        raise ConfigError(said, "Write https://.", "http_not_https")
    if parts.query or parts.fragment or port == 0 or _DOOR.fullmatch(parts.path) is None:
        said = f"The URL leads to {parts.path or '/'}, which is none of the server's doors."
        fix = "They end in /mcp, /sse, /t/<subdomain>/mcp, /o/mcp or /o/t/<subdomain>/mcp, with nothing after it."
        raise ConfigError(said, fix, "wrong_path")
    return parts


def check_domain(domain: str) -> str:
    """The domain, when it is the one spelling of an organisation's API.

    Raises:
        ConfigError: it is not; the text says what to write.
    """
    fault = find_fault(domain)
    if fault is not None:
        raise ConfigError(fault.message.replace("x-api-domain", "The domain"), fault.hint, fault.reason)
    return domain


def complete_domain(answer: str) -> str:
    """The domain that a person means who answers with the subdomain alone, or with the site's address."""
    answer = answer.strip().rstrip("/")
    if re.fullmatch(_SUBDOMAIN, answer):
        return FORM.replace("<subdomain>", answer)
    return answer if answer.endswith(SUFFIX) or not answer.startswith("http") else answer + SUFFIX


def read_target(
    server: str,
    url: str,
    domain: str | None,
    *,
    command: tuple[str, ...] = ("nudj-mcp",),
    profile: str | None = None,
    header_file: str | None = None,
) -> Target:
    """A target that can work.

    Raises:
        ConfigError: URL or domain cannot, or they name two organisations.
    """
    parts = check_url(url.removesuffix("/"))
    checked = None if domain is None else check_domain(domain)
    target = Target(server, parts.geturl(), checked, command, profile, header_file)
    if domain is not None and target.subdomain is not None and f"//{target.subdomain}." not in domain:
        said = f"The URL names the organisation {target.subdomain}, the domain another one."
        raise ConfigError(said, "Leave --domain out, or use the path /mcp.", "domain_conflict")
    return target
