"""Variables: the questions an organisation may ask people; made in the admin panel, read here."""

from typing import Annotated

from pydantic import Field

from tools import operations as op
from tools.paging import Page, PageOf, page
from tools.spec import Answer, Effect, Given, Id, Permission, Subject, TenantApi, Tool, Verb


class Option(Answer):
    """One choice of a select variable."""

    key: str | None = None
    value: str | None = None


class Variable(Answer):
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


async def list_variables(given: PageOf, api: TenantApi) -> Page[Variable]:
    """One page of variables."""
    return await page(api, op.GET_VARIABLE_CONFIGS, Variable, given)


class Get(Given):
    """Arguments of get_variable."""

    id: Annotated[Id, Field(description="From list_variables.")]


async def get_variable(given: Get, api: TenantApi) -> Variable:
    """One variable by id."""
    return Variable.model_validate(await api.call(op.GET_VARIABLE_CONFIG, ids={"id": given.id}))


_MAY = (Permission(Verb.READ, Subject.VARIABLE),)

LIST = Tool(
    name="list_variables",
    description="Lists the form questions people can be asked. To read one, use get_variable.",
    effect=Effect.READ,
    permissions=_MAY,
    takes=PageOf,
    gives=Page[Variable],
    run=list_variables,
    toolset="variables",
    operations=(op.GET_VARIABLE_CONFIGS,),
)
GET = Tool(
    name="get_variable",
    description="Reads one form question. To find its id, use list_variables.",
    effect=Effect.READ,
    permissions=_MAY,
    takes=Get,
    gives=Variable,
    run=get_variable,
    toolset="variables",
    operations=(op.GET_VARIABLE_CONFIG,),
)

TOOLS = (LIST, GET)
