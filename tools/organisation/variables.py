"""Variables: the questions an organisation may ask people; made in the admin panel, read here."""

from typing import Annotated

from pydantic import Field

from tools.api import operations as op
from tools.shared.paging import Page, PageOf, page, single
from tools.spec import Effect, Id, Permission, Subject, TenantApi, Tool, ToolOutput, Verb


class Option(ToolOutput):
    """One choice of a select variable."""

    key: str | None = None
    value: str | None = None


class Variable(ToolOutput):
    """A variable; the endpoint that validates answers stays with the tenant."""

    id: str
    type: str
    name: str
    label: str
    placeholder: str | None = None
    is_immutable: bool | None = None
    is_single_output_per_user: bool | None = None
    options: tuple[Option, ...] | None = None
    validation_regex: str | None = None


class List(PageOf):
    """Arguments of list_variables."""

    id: Annotated[Id | None, Field(description="Only this one, from an earlier list.")] = None


async def list_variables(given: List, api: TenantApi) -> Page[Variable]:
    """One page of variables, or the one with this id."""
    if given.id is not None:
        return single(Variable, await api.call(op.GET_VARIABLE_CONFIG, ids={"id": given.id}))
    return await page(api, op.GET_VARIABLE_CONFIGS, Variable, given)


LIST = Tool(
    name="list_variables",
    description="Lists the form questions people can be asked. For answers, use get_user_analytics.",
    effect=Effect.READ,
    permissions=(Permission(Verb.READ, Subject.VARIABLE),),
    takes=List,
    gives=Page[Variable],
    run=list_variables,
    toolset="variables",
    progress=True,
    operations=(op.GET_VARIABLE_CONFIGS, op.GET_VARIABLE_CONFIG),
)

TOOLS = (LIST,)
