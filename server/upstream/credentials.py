"""What goes to a tenant's API in place of a password: three ways behind one port."""

from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import quote

from server.credentials.parsing import Credentials
from server.identity.principal import Principal
from server.tenants.tenant import Tenant
from tools.refusals import Code, ToolError


class UpstreamCredential(Protocol):
    """Gives the headers by which a tenant's API knows who calls."""

    def check(self, principal: Principal, tenant: Tenant, /) -> None:
        """Judge a caller before any tool of theirs runs.

        Raises:
            ToolError: this way cannot serve the caller.
        """
        ...

    async def build_headers(
        self, principal: Principal, tenant: Tenant, credentials: Credentials, /
    ) -> Mapping[str, str]:
        """The headers, for one request.

        Raises:
            ToolError: there are none to be had.
        """
        ...

    def note_refusal(self, principal: Principal, tenant: Tenant, again: bool, /) -> bool:
        """The tenant answered 401.

        Parameters:
            again: whether the headers were built anew for this request already.

        Returns:
            Whether building them anew may help.

        Raises:
            ToolError: upstream_unauthorized where the fault is not the caller's.
        """
        ...


class Passthrough:
    """The caller's own credential, which the tenant's auth layer issued for this very API (decision 0001).

    Parameters:
        forget: told the digest of a token that the tenant no longer accepts.
    """

    def __init__(self, forget: Callable[[str], None]) -> None:
        self._forget = forget

    def check(self, _principal: Principal, _tenant: Tenant, /) -> None:
        """Everybody brings their own."""

    async def build_headers(
        self, _principal: Principal, _tenant: Tenant, credentials: Credentials, /
    ) -> Mapping[str, str]:
        """The header it came in; never for a token of the OAuth door, which was made for this server alone."""
        if credentials.door is not None:
            raise RuntimeError("a token made for this server must not go upstream")
        token = credentials.token.reveal()
        return {"authorization": f"Bearer {token}"} if credentials.kind == "bearer" else {"x-api-token": token}

    def note_refusal(self, principal: Principal, _tenant: Tenant, _again: bool, /) -> bool:
        """What was thought of the token no longer holds."""
        self._forget(principal.digest)
        return False


class ServiceCredential:
    """The tenant's own credential for this server, with the caller's name beside it.

    Parameters:
        identity_header: the header that names the caller.
    """

    def __init__(self, identity_header: str) -> None:
        self._identity_header = identity_header

    def check(self, principal: Principal, tenant: Tenant, /) -> None:
        """Refuse callers bound to communities, whom the tenant cannot tell apart, and tenants without a credential."""
        if any(grant.community is not None for grant in principal.grants):
            raise ToolError(
                Code.COMMUNITY_DENIED,
                "This server reaches the tenant with a credential of its own, which is not bound to communities.",
                "Use a token with a role in the whole organisation.",
            )
        if tenant.service_credential is None:
            raise ToolError(
                Code.INTERNAL,
                "The directory has no service credential for this organisation.",
                "Ask the operator to add service_credential to the organisation's entry.",
            )

    async def build_headers(
        self, principal: Principal, tenant: Tenant, _credentials: Credentials, /
    ) -> Mapping[str, str]:
        """The tenant's credential, and who calls."""
        assert tenant.service_credential is not None  # noqa: S101 - checked before
        return {
            "x-api-token": tenant.service_credential.reveal(),
            self._identity_header: quote(principal.subject, safe="@:|+"),
        }

    def note_refusal(self, _principal: Principal, _tenant: Tenant, _again: bool, /) -> bool:
        """Whoever calls cannot mend it."""
        raise ToolError(
            Code.UPSTREAM_UNAUTHORIZED,
            "The tenant's API does not accept this server's own credential.",
            "Ask the operator to renew service_credential in the organisation's entry.",
        )
