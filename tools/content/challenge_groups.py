"""Challenge groups: sets of challenges of which a few are on at a time, rotating by period."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from tools.api import operations as op
from tools.people.communities import CommunityId
from tools.shared.field_selection import Selecting
from tools.shared.paging import Page, PageOf, page
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
    Effect,
    Id,
    IdempotentInput,
    Language,
    Period,
    Permission,
    Subject,
    TenantApi,
    Tool,
    ToolInput,
    ToolOutput,
    Verb,
)

GroupId = Annotated[Id, Field(description="From list_challenge_groups.")]
Rotation = Literal["random", "sequential"]


class GroupItem(ToolOutput):
    """A challenge group as a list shows it."""

    id: str
    title: Title = None
    description: Annotated[Description, brief("get_challenge_group")] = None
    status: str | None = None
    community_id: str | None = None
    type: str | None = None
    period: str | None = None
    active_amount: float | None = None


class Group(GroupItem):
    """A challenge group in full."""

    description: Description = None
    challenge_ids: tuple[str, ...] | None = None
    created_at: str | None = None
    updated_at: str | None = None


class List(PageOf, Selecting):
    """Arguments of list_challenge_groups."""

    selects = GroupItem

    community_id: Annotated[CommunityId | None, Field(description="Only of this, from list_communities.")] = None
    language: Language = None


async def list_challenge_groups(given: List, api: TenantApi) -> Page[GroupItem]:
    """One page of challenge groups."""
    query = {"communityId": given.community_id}
    return given.select_page(
        await page(api, op.GET_CHALLENGE_GROUPS, GroupItem, given, query=query, language=given.language)
    )


class Get(Selecting):
    """Arguments of get_challenge_group."""

    selects = Group

    id: GroupId
    language: Language = None


async def get_challenge_group(given: Get, api: TenantApi) -> Group:
    """One challenge group by id."""
    found = await api.call(op.GET_CHALLENGE_GROUP, ids={"id": given.id}, language=given.language)
    return given.select(Group.model_validate(found))


class Create(IdempotentInput):
    """Arguments of create_challenge_group."""

    community_id: CommunityId
    title: NewTitle
    description: NewDescription = None
    challenge_ids: Annotated[Sequence[Id], Field(description="From list_challenges, in order.")] = ()
    type: Annotated[Rotation, Field(description="Order.")] = "sequential"
    period: Annotated[Period, Field(description="Changes each.")] = "open"
    active_amount: Annotated[int, Field(ge=1, description="On at a time.")] = 1
    status: NewStatus = "draft"
    language: Language = None


async def create_challenge_group(given: Create, api: TenantApi) -> Group:
    """A new challenge group."""
    return Group.model_validate(await api.call(op.CREATE_CHALLENGE_GROUP, body=content(given), language=given.language))


class Update(ToolInput):
    """Arguments of update_challenge_group; only the members given change."""

    id: GroupId
    title: ChangedTitle = None
    description: NewDescription = None
    challenge_ids: Annotated[list[Id] | None, Field(description="From list_challenges; replaces all.")] = None
    type: Annotated[Rotation | None, Field(description="Order.")] = None
    period: Annotated[Period | None, Field(description="Changes each.")] = None
    active_amount: Annotated[int | None, Field(ge=1, description="On at a time.")] = None
    status: ChangedStatus = None
    language: Language = None


async def update_challenge_group(given: Update, api: TenantApi) -> Group:
    """A challenge group with some members changed."""
    body = content(given, "id")
    return Group.model_validate(
        await api.call(op.UPDATE_CHALLENGE_GROUP, ids={"id": given.id}, body=body, language=given.language)
    )


def _may(verb: Verb) -> tuple[Permission, ...]:
    return (Permission(verb, Subject.CHALLENGE_GROUP),)


LIST = Tool(
    name="list_challenge_groups",
    description="Lists challenge groups, the sets whose challenges rotate. For challenges use list_challenges.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=List,
    gives=Page[GroupItem],
    run=list_challenge_groups,
    toolset="challenge_groups",
    operations=(op.GET_CHALLENGE_GROUPS,),
)
GET = Tool(
    name="get_challenge_group",
    description="Reads one challenge group with the ids of its challenges, for get_challenge.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=Get,
    gives=Group,
    run=get_challenge_group,
    toolset="challenge_groups",
    operations=(op.GET_CHALLENGE_GROUP,),
)
CREATE = Tool(
    name="create_challenge_group",
    description="Creates a challenge group from existing challenges. Create those first with create_challenge.",
    effect=Effect.CREATE,
    permissions=_may(Verb.CREATE),
    takes=Create,
    gives=Group,
    run=create_challenge_group,
    toolset="challenge_groups",
    operations=(op.CREATE_CHALLENGE_GROUP,),
)
UPDATE = Tool(
    name="update_challenge_group",
    description="Changes a challenge group. For a challenge in it use update_challenge.",
    effect=Effect.CHANGE,
    permissions=_may(Verb.UPDATE),
    takes=Update,
    gives=Group,
    run=update_challenge_group,
    toolset="challenge_groups",
    operations=(op.UPDATE_CHALLENGE_GROUP,),
)

TOOLS = (LIST, GET, CREATE, UPDATE)
