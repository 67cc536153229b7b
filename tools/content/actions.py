"""Actions: what a participant does inside a challenge, or to reach an achievement."""

from typing import Annotated, Any, Literal

from pydantic import Field

from tools.api import operations as op
from tools.content.action_creation import NewAction
from tools.people.communities import CommunityId
from tools.shared.field_selection import Selecting
from tools.shared.paging import Page, PageOf, page
from tools.shared.payouts import PointsShown, XpShown
from tools.shared.previews import preview_entity
from tools.shared.texts import ChangedTitle, Description, NewDescription, Title, brief, content
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

ActionId = Annotated[Id, Field(description="From list_actions.")]
OwnerId = Annotated[Id, Field(description="From list_challenges or list_achievements.")]


class ActionItem(ToolOutput):
    """An action as a list shows it; `allocation_id` is the challenge or achievement it belongs to."""

    id: str
    key: str | None = None
    title: Title = None
    description: Annotated[Description, brief("get_action")] = None
    community_id: str | None = None
    allocation_id: str | None = None
    allocated_to: str | None = None
    position: float | None = None
    points: PointsShown = None
    xp: XpShown = None


class Config(ToolOutput):
    """How an action counts."""

    is_optional: bool | None = None
    social_validation: str | None = None
    requires_correct_answer: bool | None = None


class Option(ToolOutput):
    """One of the answers to choose from."""

    id: str | None = None
    label: str | None = None


class Attributes(ToolOutput):
    """The settings of an action's key, as far as the API documents them."""

    key: str | None = None
    question: str | None = None
    options: tuple[Option, ...] | None = None
    minimum_number_of_answers_required: float | None = None
    maximum_number_of_answers_allowed: float | None = None
    correct_answers: tuple[str, ...] | None = None
    url: str | None = None


class Action(ActionItem):
    """An action in full."""

    description: Description = None
    attributes: Attributes | None = None
    config: Config | None = None
    progress_period: str | None = None
    max_completions_per_period: int | None = None
    created_at: str | None = None
    updated_at: str | None = None


class List(PageOf, Selecting):
    """Arguments of list_actions."""

    selects = ActionItem

    owner_id: Annotated[
        OwnerId | None, Field(description="Only of this, from list_challenges or list_achievements.")
    ] = None
    community_id: Annotated[CommunityId | None, Field(description="Only of this, from list_communities.")] = None
    key: Annotated[str | None, Field(max_length=60, description="Only this kind, as in create_action.")] = None
    language: Language = None


async def list_actions(given: List, api: TenantApi) -> Page[ActionItem]:
    """One page of actions."""
    query = {"communityId": given.community_id, "allocationId": given.owner_id, "key": given.key}
    return given.select_page(await page(api, op.GET_ACTIONS, ActionItem, given, query=query, language=given.language))


class Get(Selecting):
    """Arguments of get_action."""

    selects = Action

    id: ActionId
    language: Language = None


async def get_action(given: Get, api: TenantApi) -> Action:
    """One action by id."""
    found = await api.call(op.GET_ACTION, ids={"id": given.id}, language=given.language)
    return given.select(Action.model_validate(found))


class Create(IdempotentInput):
    """Arguments of create_action."""

    community_id: CommunityId
    owner_type: Annotated[Literal["challenge", "achievement"], Field(description="What it belongs to.")]
    owner_id: OwnerId
    action: Annotated[NewAction, Field(description="The action itself.")]
    language: Language = None


async def create_action(given: Create, api: TenantApi) -> Action:
    """A new action on a challenge or an achievement."""
    body = given.action.body(given.community_id, given.owner_type, given.owner_id)
    return Action.model_validate(await api.call(op.CREATE_ACTION, body=body, language=given.language))


class Update(ToolInput):
    """Arguments of update_action; only the members given change."""

    id: ActionId
    title: ChangedTitle = None
    description: NewDescription = None
    attributes: Annotated[dict[str, Any] | None, Field(description="Replaces those of get_action.")] = None
    language: Language = None


async def update_action(given: Update, api: TenantApi) -> Action:
    """An action with some members changed."""
    body = content(given, "id")
    return Action.model_validate(
        await api.call(op.UPDATE_ACTION, ids={"id": given.id}, body=body, language=given.language)
    )


class Delete(ConfirmedInput):
    """Arguments of delete_action."""

    id: ActionId


async def delete_action(given: Delete, api: TenantApi) -> Deleted:
    """An action removed for good."""
    await api.call(op.DELETE_ACTION, ids={"id": given.id})
    return Deleted(id=given.id, deleted=True)


class Reorder(ToolInput):
    """Arguments of reorder_actions."""

    owner_id: OwnerId
    action_ids: Annotated[
        list[Id], Field(min_length=1, max_length=100, description="All of its, from list_actions, in order.")
    ]


class Reordered(ToolOutput):
    """The actions in their new order."""

    items: tuple[ActionItem, ...]


async def reorder_actions(given: Reorder, api: TenantApi) -> Reordered:
    """The actions of one challenge in a new order."""
    body = {"allocationId": given.owner_id, "actionIds": given.action_ids}
    return Reordered.model_validate({"items": await api.call(op.REORDER_ACTIONS, body=body)})


def _may(verb: Verb) -> tuple[Permission, ...]:
    return (Permission(verb, Subject.ACTION),)


LIST = Tool(
    name="list_actions",
    description="Lists actions (questions, links, follows ...). For the attributes of one use get_action.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=List,
    gives=Page[ActionItem],
    run=list_actions,
    toolset="actions",
    operations=(op.GET_ACTIONS,),
)
GET = Tool(
    name="get_action",
    description="Reads one action with its attributes. For its points use get_distribution.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=Get,
    gives=Action,
    run=get_action,
    toolset="actions",
    operations=(op.GET_ACTION,),
)
CREATE = Tool(
    name="create_action",
    description=(
        "Adds an action to an existing challenge or achievement. "
        "For a new challenge give create_challenge its actions instead."
    ),
    effect=Effect.CREATE,
    permissions=_may(Verb.CREATE),
    takes=Create,
    gives=Action,
    run=create_action,
    toolset="actions",
    operations=(op.CREATE_ACTION,),
)
UPDATE = Tool(
    name="update_action",
    description="Changes an action. For points use set_distribution, for order reorder_actions.",
    effect=Effect.CHANGE,
    permissions=_may(Verb.UPDATE),
    takes=Update,
    gives=Action,
    run=update_action,
    toolset="actions",
    operations=(op.UPDATE_ACTION,),
)
DELETE = Tool(
    name="delete_action",
    description="Deletes an action for good, with the answers people gave. To correct it use update_action.",
    effect=Effect.DESTROY,
    permissions=_may(Verb.DELETE),
    takes=Delete,
    gives=Deleted,
    run=delete_action,
    toolset="actions",
    progress=True,
    operations=(op.GET_ACTION, op.DELETE_ACTION),
    preview=preview_entity("Delete the action, with the answers people gave,", op.GET_ACTION),
)
REORDER = Tool(
    name="reorder_actions",
    description="Sets the order of the actions of one challenge. To change one of them use update_action.",
    effect=Effect.CHANGE,
    permissions=_may(Verb.UPDATE),
    takes=Reorder,
    gives=Reordered,
    run=reorder_actions,
    toolset="actions",
    operations=(op.REORDER_ACTIONS,),
)

TOOLS = (LIST, GET, CREATE, UPDATE, DELETE, REORDER)
