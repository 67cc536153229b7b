"""Communities: the places inside an organisation that everything else belongs to."""

from typing import Annotated, Literal

from pydantic import Field

from tools.api import operations as op
from tools.shared.changes import changes
from tools.shared.paging import Page, PageOf, page
from tools.shared.previews import count_in_community, preview_entity
from tools.shared.texts import ChangedStatus, NewStatus
from tools.spec import (
    ConfirmedInput,
    Deleted,
    Effect,
    Id,
    IdempotentInput,
    Language,
    Permission,
    Subject,
    TenantApi,
    Tool,
    ToolInput,
    ToolOutput,
    Verb,
)

CommunityId = Annotated[Id, Field(description="From list_communities.")]
CommunityType = Literal[
    "Artist", "Brand", "Business", "Cause", "Community", "Entertainment", "Organisation", "Place", "Product"
]


class Community(ToolOutput):
    """A community as a list shows it."""

    id: str
    name: str
    slug: str
    description: str | None = None
    community_type: str | None = None
    access: str | None = None
    status: str | None = None
    verified: bool | None = None
    featured: bool | None = None
    tags: tuple[str, ...] | None = None


class List(PageOf):
    """Arguments of list_communities."""

    language: Language = None


async def list_communities(given: List, api: TenantApi) -> Page[Community]:
    """One page of the organisation's communities."""
    return await page(api, op.GET_COMMUNITIES, Community, given, language=given.language)


class Get(ToolInput):
    """Arguments of get_community."""

    id: CommunityId
    language: Language = None


async def get_community(given: Get, api: TenantApi) -> Community:
    """One community by id."""
    return Community.model_validate(await api.call(op.GET_COMMUNITY, ids={"id": given.id}, language=given.language))


class Create(IdempotentInput):
    """Arguments of create_community."""

    name: Annotated[str, Field(min_length=1, description="Shown name.")]
    slug: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,80}$", description="Such as science-fans.")]
    description: Annotated[str | None, Field(description="What it is about.")] = None
    community_type: Annotated[CommunityType, Field(description="Kind.")] = "Community"
    status: NewStatus = "draft"
    language: Language = None


async def create_community(given: Create, api: TenantApi) -> Community:
    """A new community."""
    return Community.model_validate(
        await api.call(op.CREATE_COMMUNITY, body=changes(given, "language", "request_key"), language=given.language)
    )


class Update(ToolInput):
    """Arguments of update_community; only the members given change."""

    id: CommunityId
    name: Annotated[str | None, Field(min_length=1, description="Shown name.")] = None
    slug: Annotated[str | None, Field(pattern=r"^[a-z0-9-]{1,80}$", description="Such as science-fans.")] = None
    description: Annotated[str | None, Field(description="What it is about.")] = None
    status: ChangedStatus = None
    tags: Annotated[list[Id] | None, Field(description="From list_tags; replaces all.")] = None
    language: Language = None


async def update_community(given: Update, api: TenantApi) -> Community:
    """A community with some members changed."""
    body = changes(given, "id", "language")
    return Community.model_validate(
        await api.call(op.UPDATE_COMMUNITY, ids={"id": given.id}, body=body, language=given.language)
    )


class Delete(ConfirmedInput):
    """Arguments of delete_community."""

    id: CommunityId


async def delete_community(given: Delete, api: TenantApi) -> Deleted:
    """A community removed for good."""
    await api.call(op.DELETE_COMMUNITY, ids={"id": given.id})
    return Deleted(id=given.id, deleted=True)


def _may(verb: Verb) -> tuple[Permission, ...]:
    return (Permission(verb, Subject.COMMUNITY),)


LIST = Tool(
    name="list_communities",
    description="Lists communities, for every community_id. For one in numbers, use report_community.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=List,
    gives=Page[Community],
    run=list_communities,
    toolset="communities",
    operations=(op.GET_COMMUNITIES,),
)
GET = Tool(
    name="get_community",
    description="Reads one community. To find its id, use list_communities.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=Get,
    gives=Community,
    run=get_community,
    toolset="communities",
    operations=(op.GET_COMMUNITY,),
)
CREATE = Tool(
    name="create_community",
    description="Creates a community, a draft by default. To change one, use update_community.",
    effect=Effect.CREATE,
    permissions=_may(Verb.CREATE),
    takes=Create,
    gives=Community,
    run=create_community,
    toolset="communities",
    operations=(op.CREATE_COMMUNITY,),
)
UPDATE = Tool(
    name="update_community",
    description="Changes a community: status live publishes, archived hides. To remove it, use delete_community.",
    effect=Effect.CHANGE,
    permissions=_may(Verb.UPDATE),
    takes=Update,
    gives=Community,
    run=update_community,
    toolset="communities",
    operations=(op.UPDATE_COMMUNITY,),
)
DELETE = Tool(
    name="delete_community",
    description="Deletes a community for good. update_community with status archived can be undone.",
    effect=Effect.DESTROY,
    permissions=_may(Verb.DELETE),
    takes=Delete,
    gives=Deleted,
    run=delete_community,
    toolset="communities",
    progress=True,
    operations=(
        op.GET_COMMUNITY,
        op.GET_CHALLENGES,
        op.GET_ACHIEVEMENTS,
        op.GET_REWARDS,
        op.GET_POSTS,
        op.DELETE_COMMUNITY,
    ),
    preview=preview_entity(
        "Delete the community",
        op.GET_COMMUNITY,
        titles=("name", "slug"),
        counters={
            "challenges": count_in_community(op.GET_CHALLENGES),
            "achievements": count_in_community(op.GET_ACHIEVEMENTS),
            "rewards": count_in_community(op.GET_REWARDS),
            "posts": count_in_community(op.GET_POSTS),
        },
    ),
)

TOOLS = (LIST, GET, CREATE, UPDATE, DELETE)
