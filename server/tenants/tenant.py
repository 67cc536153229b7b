"""One organisation's API: where it is and how to reach it."""

from dataclasses import dataclass

from server.credentials.secret import Secret


@dataclass(frozen=True, slots=True)
class Tenant:
    """One entry of the directory.

    Parameters:
        organisation: 24-hex id, lower case; empty, which no caller's ever is, until the tenant itself has confirmed it
            (one configured domain, upstream verification).
        api_domain: the canonical `scheme://host[:port]/api/v2/admin`, exactly as a client must send it.
        subdomain: the word of `/t/{subdomain}/mcp`.
        connect_to: `address:port` to dial instead of what the host resolves to; the URL, Host
            header, SNI and pool key stay the tenant's.
        trust: PEM text of what may vouch for this host alone (self-signed local tenants).
        name: what people call the organisation; None leaves it to the tenant's own answers.
        service_credential: what is sent upstream in `service` mode; None in passthrough mode.
    """

    organisation: str
    api_domain: str
    subdomain: str
    connect_to: str | None = None
    trust: str | None = None
    service_credential: Secret | None = None
    name: str | None = None
