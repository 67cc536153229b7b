"""Campaigns: spans of time under one name that content can belong to."""

from typing import Annotated

from pydantic import Field

from tools import operations as op
from tools.edits import changes
from tools.paging import Page, PageOf, page
from tools.spec import (
    Answer,
    Creating,
    Effect,
    Given,
    Id,
    Instant,
    Permission,
    Status,
    Subject,
    TenantApi,
    Tool,
    Verb,
)

CampaignId = Annotated[Id, Field(description="From list_campaigns.")]


class Campaign(Answer):
    """A campaign."""

    id: str
    name: str
    start_date: str
    end_date: str
    status: str


async def list_campaigns(given: PageOf, api: TenantApi) -> Page[Campaign]:
    """One page of campaigns."""
    return await page(api, op.GET_CAMPAIGNS, Campaign, given)


class Get(Given):
    """Arguments of get_campaign."""

    id: CampaignId


async def get_campaign(given: Get, api: TenantApi) -> Campaign:
    """One campaign by id."""
    return Campaign.model_validate(await api.call(op.GET_CAMPAIGN, ids={"id": given.id}))


class Create(Creating):
    """Arguments of create_campaign."""

    name: Annotated[str, Field(min_length=1, max_length=200, description="Shown name.")]
    start_date: Annotated[Instant, Field(description="First moment.")]
    end_date: Annotated[Instant, Field(description="Last moment.")]
    status: Annotated[Status, Field(description="live runs it.")] = "draft"


async def create_campaign(given: Create, api: TenantApi) -> Campaign:
    """A new campaign."""
    return Campaign.model_validate(await api.call(op.CREATE_CAMPAIGN, body=changes(given, "request_key")))


class Update(Given):
    """Arguments of update_campaign; only the members given change."""

    id: CampaignId
    name: Annotated[str | None, Field(min_length=1, max_length=200, description="Shown name.")] = None
    start_date: Annotated[Instant | None, Field(description="First moment.")] = None
    end_date: Annotated[Instant | None, Field(description="Last moment.")] = None
    status: Annotated[Status | None, Field(description="archived hides it.")] = None


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
    takes=PageOf,
    gives=Page[Campaign],
    run=list_campaigns,
    toolset="campaigns",
    operations=(op.GET_CAMPAIGNS,),
)
GET = Tool(
    name="get_campaign",
    description="Reads one campaign. To find its id, use list_campaigns.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=Get,
    gives=Campaign,
    run=get_campaign,
    toolset="campaigns",
    operations=(op.GET_CAMPAIGN,),
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

TOOLS = (LIST, GET, CREATE, UPDATE)
