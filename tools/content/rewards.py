"""Rewards: the things people win or buy with points, and the stock of them."""

from typing import Annotated, Any

from pydantic import AliasPath, Field

from tools.api import operations as op
from tools.people.communities import CommunityId
from tools.shared.field_selection import Selecting
from tools.shared.paging import Page, PageOf, page
from tools.shared.previews import preview_entity
from tools.shared.schedules import Window
from tools.shared.tag_lookup import READ_TAGS, ChangedTags, TagNames, tag_ids
from tools.shared.texts import (
    ChangedStatus,
    ChangedTitle,
    Description,
    NewDescription,
    NewStatus,
    NewTitle,
    Title,
    brief,
    content,
)
from tools.spec import (
    ConfirmedInput,
    Deleted,
    Effect,
    Id,
    IdempotentInput,
    Instant,
    Language,
    Permission,
    Subject,
    TenantApi,
    Tool,
    ToolOutput,
    Verb,
)

RewardId = Annotated[Id, Field(description="From list_rewards.")]
Price = Annotated[int | None, Field(ge=0, description="Points each.")]
Supply = Annotated[int | None, Field(ge=0, description="In all.")]
PerUser = Annotated[int | None, Field(ge=1, description="Most per person.")]
Instructions = Annotated[str | None, Field(description="How to redeem it.")]


class RewardItem(ToolOutput):
    """A reward as a list shows it; supply is what is left to hand out."""

    id: str
    title: Title = None
    description: Annotated[Description, brief("get_reward")] = None
    status: str | None = None
    community_id: str | None = None
    asset_points_price: float | None = None
    assets_supply: float | None = None
    entries_supply: float | None = None
    is_manual_giveaway: bool | None = None
    draws_at: str | None = None
    expires_at: str | None = None
    tags: tuple[str, ...] | None = None


class Stock(ToolOutput):
    """A part of a reward's stock and how much of it is gone."""

    id: str | None = None
    allocation_type: str | None = None
    supply: float | None = None
    amount_to_distribute: float | None = None
    distributed: float | None = None
    is_shop: bool | None = None
    is_live: bool | None = None


class Reward(RewardItem):
    """A reward in full."""

    description: Description = None
    additional_community_ids: tuple[str, ...] | None = None
    entry_points_price: float | None = None
    max_assets_per_user: float | None = None
    max_entries_per_user: float | None = None
    allocations_type: str | None = None
    instructions: Annotated[str | None, Field(validation_alias=AliasPath("redemptionConfig", "instructions"))] = None
    allocations: tuple[Stock, ...] | None = None
    featured: bool | None = None
    campaigns: tuple[str, ...] | None = None
    starts_at: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class List(PageOf, Selecting):
    """Arguments of list_rewards."""

    selects = RewardItem

    language: Language = None


async def list_rewards(given: List, api: TenantApi) -> Page[RewardItem]:
    """One page of rewards."""
    return given.select_page(await page(api, op.GET_REWARDS, RewardItem, given, language=given.language))


class Get(Selecting):
    """Arguments of get_reward."""

    selects = Reward

    id: RewardId
    language: Language = None


async def get_reward(given: Get, api: TenantApi) -> Reward:
    """One reward by id."""
    found = await api.call(op.GET_REWARD, ids={"id": given.id}, language=given.language)
    return given.select(Reward.model_validate(found))


class Create(IdempotentInput, Window):
    """Arguments of create_reward."""

    community_id: CommunityId
    title: NewTitle
    description: NewDescription = None
    instructions: Instructions = None
    assets_supply: Supply = None
    asset_points_price: Price = None
    max_assets_per_user: PerUser = None
    allocation_supply: Annotated[int | None, Field(ge=0, description="Of these, ready to give or draw.")] = None
    is_shop: Annotated[bool, Field(description="And to buy.")] = False
    is_manual_giveaway: Annotated[bool | None, Field(description="close_giveaway names winners.")] = None
    draws_at: Annotated[Instant | None, Field(description="When winners are drawn.")] = None
    tags: TagNames = None
    status: NewStatus = "draft"
    language: Language = None


async def create_reward(given: Create, api: TenantApi) -> Reward:
    """A new reward, with the first part of its stock."""
    body = content(given, "allocation_supply", "is_shop", "instructions", "tags") | await _parts(given, api)
    body |= {"allocationsType": "assets-only"}
    body.setdefault("redemptionConfig", {"type": "rich-text"})
    if given.allocation_supply is not None:
        body["allocations"] = [{"supply": given.allocation_supply, "isShop": given.is_shop, "isLive": True}]
    return Reward.model_validate(await api.call(op.CREATE_REWARD, body=body, language=given.language))


class Update(Window):
    """Arguments of update_reward; only the members given change."""

    id: RewardId
    title: ChangedTitle = None
    description: NewDescription = None
    instructions: Instructions = None
    assets_supply: Supply = None
    asset_points_price: Price = None
    max_assets_per_user: PerUser = None
    tags: ChangedTags = None
    status: ChangedStatus = None
    language: Language = None


async def update_reward(given: Update, api: TenantApi) -> Reward:
    """A reward with some members changed."""
    body = content(given, "id", "instructions", "tags") | await _parts(given, api)
    return Reward.model_validate(
        await api.call(op.UPDATE_REWARD, ids={"id": given.id}, body=body, language=given.language)
    )


async def _parts(given: Create | Update, api: TenantApi) -> dict[str, Any]:
    """The members that the API spells otherwise."""
    tags = await tag_ids(given.tags, api)
    said = {} if tags is None else {"tags": tags}
    if given.instructions is None:
        return said
    return said | {"redemptionConfig": {"type": "rich-text", "instructions": given.instructions}}


class Delete(ConfirmedInput):
    """Arguments of delete_reward."""

    id: RewardId


async def delete_reward(given: Delete, api: TenantApi) -> Deleted:
    """A reward removed for good."""
    await api.call(op.DELETE_REWARD, ids={"id": given.id})
    return Deleted(id=given.id, deleted=True)


def _may(verb: Verb) -> Permission:
    return Permission(verb, Subject.REWARD)


LIST = Tool(
    name="list_rewards",
    description="Lists rewards with price and supply, newest first. For all about one use get_reward.",
    effect=Effect.READ,
    permissions=(_may(Verb.READ),),
    takes=List,
    gives=Page[RewardItem],
    run=list_rewards,
    toolset="rewards",
    operations=(op.GET_REWARDS,),
)
GET = Tool(
    name="get_reward",
    description="Reads one reward with its stock. For what pays it out use get_distribution.",
    effect=Effect.READ,
    permissions=(_may(Verb.READ),),
    takes=Get,
    gives=Reward,
    run=get_reward,
    toolset="rewards",
    operations=(op.GET_REWARD,),
)
CREATE = Tool(
    name="create_reward",
    description=(
        "Creates a reward and a first allocation of its stock. "
        "To let people win it use set_distribution, to hand it out give_rewards."
    ),
    effect=Effect.CREATE,
    permissions=(_may(Verb.CREATE), READ_TAGS),
    takes=Create,
    gives=Reward,
    run=create_reward,
    toolset="rewards",
    progress=True,
    operations=(op.GET_TAGS, op.CREATE_REWARD),
)
UPDATE = Tool(
    name="update_reward",
    description="Changes a reward. To let people win it use set_distribution.",
    effect=Effect.CHANGE,
    permissions=(_may(Verb.UPDATE), READ_TAGS),
    takes=Update,
    gives=Reward,
    run=update_reward,
    toolset="rewards",
    progress=True,
    operations=(op.GET_TAGS, op.UPDATE_REWARD),
)
DELETE = Tool(
    name="delete_reward",
    description="Deletes a reward for good. Prefer update_reward with status archived.",
    effect=Effect.DESTROY,
    permissions=(_may(Verb.DELETE),),
    takes=Delete,
    gives=Deleted,
    run=delete_reward,
    toolset="rewards",
    progress=True,
    operations=(op.GET_REWARD, op.DELETE_REWARD),
    preview=preview_entity(
        "Delete the reward", op.GET_REWARD, counts={"assetsSupply": "in stock", "entriesSupply": "entries"}
    ),
)

TOOLS = (LIST, GET, CREATE, UPDATE, DELETE)
