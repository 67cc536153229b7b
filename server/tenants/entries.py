"""What an operator writes down about tenants: checked as a whole, every mistake named at once."""

import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from server.credentials.secret import Secret
from server.tenants.domain import find_fault, split_host_and_port
from server.tenants.tenant import Tenant

_SUBDOMAIN = re.compile(r"[a-z0-9-]{1,63}")
_CREDENTIAL_CAP = 8192


class Mistakes(Exception):
    """A directory that cannot be used; `mistakes` names all that is wrong with it."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


@dataclass(frozen=True, slots=True)
class Table:
    """The tenants, by the exact string a client must send, by subdomain, by organisation, and by
    host and port for the way out."""

    by_domain: Mapping[str, Tenant]
    by_subdomain: Mapping[str, Tenant]
    by_host: Mapping[tuple[str, int], Tenant]
    by_organisation: Mapping[str, tuple[Tenant, ...]]

    @classmethod
    def of(cls, by_domain: Mapping[str, Tenant], by_subdomain: Mapping[str, Tenant]) -> Self:
        """Derive the rest."""
        by_organisation: dict[str, tuple[Tenant, ...]] = {}
        for tenant in by_subdomain.values():
            by_organisation[tenant.organisation] = (*by_organisation.get(tenant.organisation, ()), tenant)
        by_host = {split_host_and_port(domain): tenant for domain, tenant in by_domain.items()}
        return cls(by_domain, by_subdomain, by_host, by_organisation)


class Entry(BaseModel):
    """One tenant as written; Tenant says what the members mean. `also` lists custom domains of the same tenant."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    organisation: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{24}$")]
    api_domain: str
    also: list[str] = []
    connect_to: (
        Annotated[str, StringConstraints(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$")] | None
    ) = None
    trust: str | None = None
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    service_credential_file: str | None = None


class _DirectoryDocument(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    tenants: dict[str, Entry]


_DOCUMENT = TypeAdapter(_DirectoryDocument)


def build_table(document: Mapping[str, Any], base: Path | None) -> Table:
    """Build the table of a whole directory.

    Parameters:
        base: directory that files named by entries are relative to; None forbids such members.

    Raises:
        Mistakes: anything is wrong with any entry.
    """
    try:
        entries = _DOCUMENT.validate_python(document).tenants
    except ValidationError as fault:
        raise Mistakes(_explain(fault)) from None
    mistakes: list[str] = []
    by_domain: dict[str, Tenant] = {}
    by_subdomain: dict[str, Tenant] = {}
    for subdomain, entry in entries.items():
        mistakes.extend(f"tenants.{subdomain}: {mistake}" for mistake in _build_mistake(subdomain, entry, base))
        tenant = Tenant(entry.organisation.lower(), entry.api_domain, subdomain, entry.connect_to, name=entry.name)
        if base is not None:
            tenant = _read_files(tenant, entry, base, mistakes)
        by_subdomain[subdomain] = tenant
        for domain in (entry.api_domain, *entry.also):
            if domain in by_domain:
                mistakes.append(f"tenants.{subdomain}: {domain} is also tenants.{by_domain[domain].subdomain}'s")
            by_domain[domain] = replace(tenant, api_domain=domain)
    if mistakes:
        raise Mistakes(mistakes)
    return Table.of(by_domain, by_subdomain)


def named_files(document: Mapping[str, Any], base: Path) -> Iterator[Path]:
    """The files that the entries of a directory name, whether or not anything about it can be used."""
    entries = document.get("tenants")
    for entry in entries.values() if isinstance(entries, dict) else ():
        for name in ("trust", "service_credential_file"):
            if isinstance(entry, dict) and isinstance(entry.get(name), str):
                yield base / entry[name]


def _explain(fault: ValidationError) -> Iterator[str]:
    for error in fault.errors(include_input=False, include_url=False):
        yield f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"


def _build_mistake(subdomain: str, entry: Entry, base: Path | None) -> Iterator[str]:
    if _SUBDOMAIN.fullmatch(subdomain) is None:
        yield "the name is not a subdomain (a-z, 0-9, -)"
    for domain in (entry.api_domain, *entry.also):
        found = find_fault(domain)
        if found is not None:
            yield f"{domain!r}: {found.message.replace('x-api-domain', 'the domain')} {found.hint}"
    if entry.connect_to is not None and not 0 < int(entry.connect_to.rpartition(":")[2]) < 65536:
        yield "connect_to: not a port number"
    if base is None and (entry.trust is not None or entry.service_credential_file is not None):
        yield "trust and service_credential_file name local files and belong into a local directory file"


def _read_files(tenant: Tenant, entry: Entry, base: Path, mistakes: list[str]) -> Tenant:
    trust = None
    if entry.trust is not None:
        trust = _certificates(base / entry.trust)
        if trust is None:
            mistakes.append(f"tenants.{tenant.subdomain}: trust: there is no such file, or no PEM certificate in it")
    credential = None
    if entry.service_credential_file is not None:
        credential = _read_credential(base / entry.service_credential_file)
        if credential is None:
            mistakes.append(
                f"tenants.{tenant.subdomain}: service_credential_file: there is no such file, or not one word in it"
            )
    return replace(tenant, trust=trust, service_credential=credential)


def _certificates(path: Path) -> str | None:
    """The text of a CA file; None when no certificate is in it, which would let everybody's own authorities vouch."""
    try:
        text = path.read_text("ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        return None
    return text


def _read_credential(path: Path) -> Secret | None:
    try:
        text = path.read_bytes()[: _CREDENTIAL_CAP + 1].decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    usable = 0 < len(text) <= _CREDENTIAL_CAP and text.isprintable() and " " not in text
    return Secret(text) if usable else None
