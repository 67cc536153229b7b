"""From what a client calls a tenant to the tenant: exact look-up in the operator's table, never URL surgery."""

from collections.abc import Callable

from server.credentials.parsing import PresentedCredentials
from server.http.port import Route
from server.tenants.domain import FORM, find_fault
from server.tenants.entries import Table
from server.tenants.tenant import Tenant
from tools.refusals import Code, ToolError


class Directory:
    """The tenants there are. The table is replaced whole or not at all; `on_change` is called when it was."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.on_change: Callable[[], None] = lambda: None

    def replace(self, table: Table) -> None:
        """Put another table in force."""
        self._table = table
        self.on_change()

    def __len__(self) -> int:
        return len(self._table.by_subdomain)

    def locate(self, presented: PresentedCredentials) -> Tenant:
        """The tenant a request names, by header or by path.

        Raises:
            ToolError: domain_missing, domain_conflict, domain_malformed or tenant_unknown.
        """
        if len(presented.domain) > 1 or any("," in domain for domain in presented.domain):
            raise ToolError(
                Code.DOMAIN_CONFLICT,
                "x-api-domain came more than once, or with several values.",
                "Send x-api-domain exactly once, with one value.",
            )
        by_header = self.find(presented.domain[0]) if presented.domain else None
        by_path = None if presented.path is None else self.at_path(presented.path)
        if by_header is not None and by_path is not None and by_header.subdomain != by_path.subdomain:
            raise ToolError(
                Code.DOMAIN_CONFLICT, "x-api-domain and the path of the request name two different tenants."
            )
        tenant = by_header or by_path
        if tenant is None:
            raise ToolError(
                Code.DOMAIN_MISSING,
                "The request does not say which organisation it is for: x-api-domain is not set.",
                f"Set the header x-api-domain: {FORM} (on stdio: NUDJ_API_DOMAIN).",
            )
        return tenant

    def find_of(self, organisation: str, presented: PresentedCredentials) -> Tenant:
        """The tenant of an OAuth token: its own organisation's, unless the path names one; a header must agree.

        Raises:
            ToolError: domain_malformed, tenant_unknown or domain_conflict.
        """
        if presented.path is not None or presented.domain:
            named = self.locate(presented)
            if presented.path is not None:
                return named
            if named.organisation != organisation:
                raise ToolError(
                    Code.DOMAIN_CONFLICT,
                    "x-api-domain names another organisation than the one chosen when signing in.",
                    "Take x-api-domain out of the client's config: here the organisation comes with the sign-in.",
                )
            return named
        found = self._table.by_organisation.get(organisation, ())
        if not found:
            raise _build_unknown("The organisation chosen when signing in is not registered with this server.")
        if len(found) > 1:
            raise ToolError(
                Code.DOMAIN_CONFLICT,
                "The organisation is registered under several subdomains.",
                "Connect the client to /o/t/{subdomain}/mcp, which names one.",
            )
        return found[0]

    def find(self, domain: str) -> Tenant:
        """The tenant of exactly this domain.

        Raises:
            ToolError: domain_malformed, with the likely slip as reason, or tenant_unknown.
        """
        tenant = self._table.by_domain.get(domain)
        if tenant is not None:
            return tenant
        found = find_fault(domain)
        if found is not None:
            raise ToolError(Code.DOMAIN_MALFORMED, found.message, found.hint, reason=found.reason)
        raise _build_unknown("x-api-domain names a host that no organisation is registered under.")

    def at_path(self, subdomain: str) -> Tenant:
        """The tenant of `/t/{subdomain}/mcp`.

        Raises:
            ToolError: tenant_unknown.
        """
        tenant = self._table.by_subdomain.get(subdomain)
        if tenant is None:
            raise _build_unknown("The path names a subdomain that no organisation is registered under.")
        return tenant

    def route(self, host: str, port: int) -> Route | None:
        """How a tenant's host is reached; None for hosts that are no tenant's."""
        tenant = self._table.by_host.get((host, port))
        return None if tenant is None else Route(tenant.connect_to, tenant.trust)


def _build_unknown(message: str) -> ToolError:
    return ToolError(
        Code.TENANT_UNKNOWN,
        message,
        f"Check the spelling of the subdomain, scheme and port; the admin panel shows the value: {FORM}.",
    )
