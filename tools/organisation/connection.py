"""The one tool everybody sees: who am I to this server, and what may I do."""

from datetime import UTC, datetime

from tools.api import operations as op
from tools.refusals import Code, ToolError
from tools.spec import Effect, Nothing, TenantApi, Tool, ToolOutput, Untrusted


class Connection(ToolOutput):
    """What the server knows of the caller."""

    subject: str
    organisation: str
    organisation_name: Untrusted | None = None
    api_domain: str
    roles: tuple[str, ...]
    credential: str
    mode: str
    expires_at: str
    expires_in_s: int
    permissions: tuple[str, ...]
    communities: tuple[str, ...] | None = None


async def check_connection(_given: Nothing, api: TenantApi) -> Connection:
    """The verified caller, as plain data."""
    who = api.caller
    expiry = datetime.fromtimestamp(who.expires_at, UTC)
    return Connection(
        subject=who.subject,
        organisation=who.organisation,
        organisation_name=who.organisation_name or await _read_name(api),
        api_domain=who.api_domain,
        roles=who.roles,
        credential=who.credential,
        mode=who.mode,
        expires_at=expiry.isoformat().replace("+00:00", "Z"),
        expires_in_s=max(0, int((expiry - datetime.now(UTC)).total_seconds())),
        permissions=who.permissions,
        communities=who.communities,
    )


async def _read_name(api: TenantApi) -> str | None:
    """What the tenant calls the organisation; who asks is known without it, so only a refused token is told."""
    try:
        await api.call(op.GET_ORGANISATION, ids={"id": api.caller.organisation})
    except ToolError as refusal:
        if refusal.code is Code.UPSTREAM_UNAUTHORIZED:
            raise
        return None
    return api.caller.organisation_name


CHECK = Tool(
    name="check_connection",
    description=(
        "Says who you are here: organisation, role, what the token may do, when it expires; or what is wrong with the "
        "configuration. Call it first when anything is refused."
    ),
    effect=Effect.READ,
    permissions=(),
    takes=Nothing,
    gives=Connection,
    run=check_connection,
    toolset="connection",
)

TOOLS = (CHECK,)
