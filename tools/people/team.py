"""The team: colleagues who administer the organisation."""

from typing import Annotated

from pydantic import Field, StringConstraints

from tools.api import operations as op
from tools.spec import Effect, Permission, Subject, TenantApi, Tool, ToolInput, ToolOutput, Untrusted, Verb

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


class Invite(ToolInput):
    """Arguments of invite_team."""

    emails: Annotated[list[Email], Field(min_length=1, max_length=50, description="Addresses to invite.")]


class Invited(ToolOutput):
    """What became of one invitation."""

    email: Untrusted
    success: bool
    message: Untrusted | None = None


class Invitations(ToolOutput):
    """What became of all of them."""

    success: bool
    results: tuple[Invited, ...]


async def invite_team(given: Invite, api: TenantApi) -> Invitations:
    """Invitations sent by e-mail."""
    return Invitations.model_validate(await api.call(op.INVITE_TEAM, body={"emails": list(given.emails)}))


INVITE = Tool(
    name="invite_team",
    description=("Invites colleagues by e-mail to administer the organisation. For participants, use create_user."),
    effect=Effect.CHANGE,
    permissions=(Permission(Verb.UPDATE, Subject.TEAM),),
    takes=Invite,
    gives=Invitations,
    run=invite_team,
    toolset="team",
    operations=(op.INVITE_TEAM,),
)

TOOLS = (INVITE,)
