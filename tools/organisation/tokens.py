"""Tokens: ending the life of one; minting stays with the admin panel, where a person sees it once."""

from typing import Annotated

from pydantic import Field

from tools.api import operations as op
from tools.previews import Preview
from tools.spec import ConfirmedInput, Effect, Permission, Subject, TenantApi, Tool, ToolOutput, Verb


class Revoke(ConfirmedInput):
    """Arguments of revoke_token."""

    token_id: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_-]{1,128}$",
            description="Its jti, from the admin panel; never the token.",
        ),
    ]


class Revoked(ToolOutput):
    """What revoke_token gives."""

    token_id: str
    revoked: bool


async def revoke_token(given: Revoke, api: TenantApi) -> Revoked:
    """One token that no longer works."""
    await api.call(op.REVOKE_TOKEN, ids={"tokenId": given.token_id})
    return Revoked(token_id=given.token_id, revoked=True)


async def preview_revocation(given: Revoke, _api: TenantApi) -> Preview:
    """The token by its id: the API lets nobody read one."""
    return Preview("Revoke the token", given.token_id, details=("whoever uses it is shut out at once",))


REVOKE = Tool(
    name="revoke_token",
    description=("Revokes an API or MCP token for good. Your own ends this connection: see check_connection."),
    effect=Effect.DESTROY,
    permissions=(Permission(Verb.DELETE, Subject.TOKEN),),
    takes=Revoke,
    gives=Revoked,
    run=revoke_token,
    toolset="tokens",
    operations=(op.REVOKE_TOKEN,),
    preview=preview_revocation,
)

TOOLS = (REVOKE,)
