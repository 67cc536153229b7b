"""The first half of every call: what was presented becomes a principal at its own tenant, or a refusal."""

from dataclasses import dataclass
from typing import Protocol, get_args

from server.access.policy import Mode
from server.credentials.parsing import Credentials, PresentedCredentials, find_credential
from server.identity.principal import Principal
from server.identity.verifier import Verifier
from server.pipeline.door_authentication import WRITE, DoorAuthenticator
from server.tenants.tenant import Tenant
from tools.refusals import Code, ToolError

MODES: tuple[Mode, ...] = get_args(Mode)


class Locate(Protocol):
    """The tenant directory, as far as admission needs it."""

    def locate(self, presented: PresentedCredentials) -> Tenant:
        """The tenant the request selects; raises domain_* or tenant_unknown."""
        ...


@dataclass(frozen=True, slots=True)
class Admission:
    """A caller that is who it says, at the organisation it belongs to.

    `toolsets` is None for the default ones, otherwise a set of names; it chooses what is listed, not what is allowed.
    """

    credentials: Credentials
    principal: Principal
    tenant: Tenant
    mode: Mode
    toolsets: frozenset[str] | None


class Authenticator:
    """Decides admission, in the documented order: credentials, token, domain, organisation, narrowing headers.

    `judges_alone` is false where the tenant has to be asked about a token.
    """

    def __init__(
        self,
        verifier: Verifier,
        directory: Locate,
        toolsets: tuple[str, ...],
        at_door: DoorAuthenticator | None = None,
        *,
        judges_alone: bool = True,
    ) -> None:
        self.verifier = verifier
        self.judges_alone = judges_alone
        self._directory = directory
        self._toolsets = toolsets
        self._at_door = at_door

    async def admit(self, presented: PresentedCredentials) -> Admission:
        """Judge one request.

        Raises:
            ToolError: the first of credentials_*, token_*, domain_*, tenant_unknown, organisation_mismatch and
                mode_invalid that applies, or verification_unavailable when a check could not run.
        """
        credentials, principal, tenant = await self._identify(presented)
        if principal.organisation != tenant.organisation:
            raise ToolError(
                Code.ORGANISATION_MISMATCH,
                "The token is valid but belongs to another organisation than x-api-domain names.",
                "Set x-api-domain to the domain of the token's own organisation, or sign in to the other organisation "
                "and mint a token there. check_connection tells when both fit.",
                organisation=principal.organisation,
            )
        return Admission(credentials, principal, tenant, _read_mode(presented, principal), self._choose(presented))

    async def _identify(self, presented: PresentedCredentials) -> tuple[Credentials, Principal, Tenant]:
        """By the way of the door the request came to, and by no other."""
        if presented.door is not None:
            if self._at_door is None:
                raise RuntimeError("a request came to an OAuth door that this server does not have")
            return await self._at_door.admit(presented)
        credentials = find_credential(presented)
        return (credentials, *await self.verifier.verify(credentials, lambda: self._directory.locate(presented)))

    async def refusal(self, presented: PresentedCredentials) -> ToolError | None:
        """Why this request would not be admitted; None when it would."""
        try:
            await self.admit(presented)
        except ToolError as refusal:
            return refusal
        return None

    def _choose(self, presented: PresentedCredentials) -> frozenset[str] | None:
        if not presented.toolsets:
            return None
        names = [name.strip() for value in presented.toolsets for name in value.split(",")]
        if names == ["all"]:
            return frozenset(self._toolsets)
        unknown = [name for name in names if name not in self._toolsets]
        if unknown:
            raise ToolError(
                Code.MODE_INVALID,
                "x-toolsets names a toolset that does not exist.",
                f"Use all, or a comma list of: {', '.join(self._toolsets)}.",
                reason="toolset_unknown",
            )
        return frozenset(names)


def _read_mode(presented: PresentedCredentials, principal: Principal) -> Mode:
    """The header can only tighten what the token allows."""
    widest: Mode = "builder" if principal.scopes is None or WRITE in principal.scopes else "planner"
    if not presented.mode:
        return widest
    for mode in MODES:
        if presented.mode == (mode,):
            return mode if widest == "builder" else widest
    raise ToolError(
        Code.MODE_INVALID,
        "x-agent-mode has a value that does not exist.",
        f"Set it to one of: {', '.join(MODES)}; or leave it out, which means builder.",
    )
