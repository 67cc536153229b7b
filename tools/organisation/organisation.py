"""The caller's own organisation; which one that is comes from the token, so no tool here takes an organisation."""

from typing import Annotated

from pydantic import Field

from tools.api import operations as op
from tools.spec import Effect, Nothing, Permission, Subject, TenantApi, Tool, ToolInput, ToolOutput, Verb


class Organisation(ToolOutput):
    """The organisation."""

    id: str
    name: str
    language: str
    timezone: str
    location: str


async def get_organisation(_given: Nothing, api: TenantApi) -> Organisation:
    """The caller's organisation."""
    return Organisation.model_validate(await api.call(op.GET_ORGANISATION, ids={"id": api.caller.organisation}))


class Update(ToolInput):
    """Arguments of update_organisation; only the members given change."""

    name: Annotated[str | None, Field(min_length=1, description="Shown name.")] = None
    default_language: Annotated[
        str | None,
        Field(pattern=r"^[A-Za-z-]{2,9}$", description="Such as en."),
    ] = None
    timezone: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_+/-]{1,64}$", description="Such as Europe/Berlin.")] = (
        None
    )


async def update_organisation(given: Update, api: TenantApi) -> Organisation:
    """The caller's organisation with some members changed."""
    said = {"name": given.name, "language": given.default_language, "timezone": given.timezone}
    body = {name: value for name, value in said.items() if value is not None}
    answer = await api.call(op.UPDATE_ORGANISATION, ids={"id": api.caller.organisation}, body=body)
    return Organisation.model_validate(answer)


GET = Tool(
    name="get_organisation",
    description="Reads your organisation: name, language, time zone. For what you may do, use check_connection.",
    effect=Effect.READ,
    permissions=(Permission(Verb.READ, Subject.ORGANISATION),),
    takes=Nothing,
    gives=Organisation,
    run=get_organisation,
    toolset="organisation",
    operations=(op.GET_ORGANISATION,),
)
UPDATE = Tool(
    name="update_organisation",
    description="Changes your organisation's name, language or time zone. For its looks, use update_theme.",
    effect=Effect.CHANGE,
    permissions=(Permission(Verb.UPDATE, Subject.ORGANISATION),),
    takes=Update,
    gives=Organisation,
    run=update_organisation,
    toolset="organisation",
    operations=(op.UPDATE_ORGANISATION,),
)

TOOLS = (GET, UPDATE)
