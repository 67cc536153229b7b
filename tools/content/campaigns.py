"""Campaigns: spans of time under one name that content can belong to."""

from typing import Annotated

from pydantic import Field

from tools.api import operations as op
from tools.shared.changes import changes
from tools.shared.paging import Page, PageOf, page, single
from tools.shared.texts import ChangedStatus, NewStatus
from tools.spec import (
    Effect,
    Id,
    IdempotentInput,
    Instant,
    Permission,
    Subject,
    TenantApi,
    Tool,
    ToolInput,
    ToolOutput,
    Verb,
)

CampaignId = Annotated[Id, Field(description="From list_campaigns.")]


class Campaign(ToolOutput):
    """A campaign."""

    id: str
    name: str
    start_date: str
    end_date: str
    status: str


class List(PageOf):
    """Arguments of list_campaigns."""

    id: Annotated[Id | None, Field(description="Only this one, from an earlier list.")] = None


async def list_campaigns(given: List, api: TenantApi) -> Page[Campaign]:
    """One page of campaigns, or the one with this id."""
    if given.id is not None:
        return single(Campaign, await api.call(op.GET_CAMPAIGN, ids={"id": given.id}))
    return await page(api, op.GET_CAMPAIGNS, Campaign, given)


class Create(IdempotentInput):
    """Arguments of create_campaign."""

    name: Annotated[str, Field(min_length=1, description="Shown name.")]
    start_date: Annotated[Instant, Field(description="First moment.")]
    end_date: Annotated[Instant, Field(description="Last moment.")]
    status: NewStatus = "draft"


async def create_campaign(given: Create, api: TenantApi) -> Campaign:
    """A new campaign."""
    return Campaign.model_validate(await api.call(op.CREATE_CAMPAIGN, body=changes(given, "request_key")))


class Update(ToolInput):
    """Arguments of update_campaign; only the members given change."""

    id: CampaignId
    name: Annotated[str | None, Field(min_length=1, description="Shown name.")] = None
    start_date: Annotated[Instant | None, Field(description="First moment.")] = None
    end_date: Annotated[Instant | None, Field(description="Last moment.")] = None
    status: ChangedStatus = None


async def update_campaign(given: Update, api: TenantApi) -> Campaign:
    """A campaign with some members changed."""
    return Campaign.model_validate(await api.call(op.UPDATE_CAMPAIGN, ids={"id": given.id}, body=changes(given, "id")))


def _may(verb: Verb) -> tuple[Permission, ...]:
    return (Permission(verb, Subject.CAMPAIGN),)


LIST = Tool(
    name="list_campaigns",
    description="Lists campaigns. To make one, use create_campaign.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=List,
    gives=Page[Campaign],
    run=list_campaigns,
    toolset="campaigns",
    progress=True,
    operations=(op.GET_CAMPAIGNS, op.GET_CAMPAIGN),
)
CREATE = Tool(
    name="create_campaign",
    description="Creates a campaign, a draft by default. To change one, use update_campaign.",
    effect=Effect.CREATE,
    permissions=_may(Verb.CREATE),
    takes=Create,
    gives=Campaign,
    run=create_campaign,
    toolset="campaigns",
    operations=(op.CREATE_CAMPAIGN,),
)
UPDATE = Tool(
    name="update_campaign",
    description="Changes a campaign. To find its id, use list_campaigns.",
    effect=Effect.CHANGE,
    permissions=_may(Verb.UPDATE),
    takes=Update,
    gives=Campaign,
    run=update_campaign,
    toolset="campaigns",
    operations=(op.UPDATE_CAMPAIGN,),
)

TOOLS = (LIST, CREATE, UPDATE)
