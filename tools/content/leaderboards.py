"""Leaderboards: who is first by which number, in which period. Their prizes by rank are distributions."""

from typing import Annotated, Any, Literal

from pydantic import Field

from tools.api import operations as op
from tools.people.communities import CommunityId
from tools.shared.changes import changes
from tools.shared.field_selection import Selecting
from tools.shared.paging import Page, PageOf, page
from tools.shared.schedules import Window
from tools.shared.texts import ChangedStatus, NewStatus
from tools.spec import (
    Effect,
    Id,
    IdempotentInput,
    Instant,
    Language,
    Period,
    Permission,
    Status,
    Subject,
    TenantApi,
    Tool,
    ToolOutput,
    Verb,
)

LeaderboardId = Annotated[Id, Field(description="From list_leaderboards.")]
Metric = Literal["total-xp", "total-challenges-completed", "total-challenges-started", "total-actions-completed"]
Name = Annotated[str, Field(min_length=1, description="Shown name.")]
Text = Annotated[str | None, Field(description="What it is about.")]


class LeaderboardItem(ToolOutput):
    """A leaderboard as a list shows it."""

    id: str
    name: str | None = None
    status: str | None = None
    metric_type: str | None = None
    period: str | None = None
    starts_at: str | None = None
    expires_at: str | None = None


class Condition(ToolOutput):
    """What counts for a leaderboard."""

    type: str | None = None
    community_id: str | None = None


class Leaderboard(LeaderboardItem):
    """A leaderboard in full."""

    description: str | None = None
    conditions: tuple[Condition, ...] | None = None
    created_at: str | None = None
    updated_at: str | None = None


class List(PageOf, Selecting):
    """Arguments of list_leaderboards."""

    selects = LeaderboardItem

    status: Annotated[Status | None, Field(description="Only these.")] = None
    community_id: Annotated[CommunityId | None, Field(description="Only of this, from list_communities.")] = None
    language: Language = None


async def list_leaderboards(given: List, api: TenantApi) -> Page[LeaderboardItem]:
    """One page of leaderboards."""
    query = {"status": given.status, "communityId": given.community_id}
    return given.select_page(
        await page(api, op.GET_LEADERBOARD_CONFIGS, LeaderboardItem, given, query=query, language=given.language)
    )


class Get(Selecting):
    """Arguments of get_leaderboard."""

    selects = Leaderboard

    id: LeaderboardId
    language: Language = None


async def get_leaderboard(given: Get, api: TenantApi) -> Leaderboard:
    """One leaderboard by id."""
    found = await api.call(op.GET_LEADERBOARD_CONFIG, ids={"id": given.id}, language=given.language)
    return given.select(Leaderboard.model_validate(found))


class Create(IdempotentInput, Window):
    """Arguments of create_leaderboard."""

    name: Name
    description: Text = None
    metric_type: Annotated[Metric, Field(description="The number that ranks.")]
    period: Annotated[Period, Field(description="Starts anew each.")] = "open"
    starts_at: Annotated[Instant, Field(description="Start.")]
    community_id: Annotated[CommunityId | None, Field(description="Only of this, from list_communities.")] = None
    status: NewStatus = "draft"


async def create_leaderboard(given: Create, api: TenantApi) -> Leaderboard:
    """A new leaderboard."""
    body = changes(given, "request_key", "community_id") | _conditions(given.community_id)
    return Leaderboard.model_validate(await api.call(op.CREATE_LEADERBOARD, body=body))


class Update(Window):
    """Arguments of update_leaderboard; only the members given change."""

    id: LeaderboardId
    name: Annotated[Name | None, Field(description="Shown name.")] = None
    description: Text = None
    period: Annotated[Period | None, Field(description="Starts anew each.")] = None
    community_id: Annotated[CommunityId | None, Field(description="Only of this, from list_communities.")] = None
    status: ChangedStatus = None
    language: Language = None


async def update_leaderboard(given: Update, api: TenantApi) -> Leaderboard:
    """A leaderboard with some members changed."""
    body = changes(given, "id", "community_id", "language") | _conditions(given.community_id)
    return Leaderboard.model_validate(
        await api.call(op.UPDATE_LEADERBOARD_CONFIG, ids={"id": given.id}, body=body, language=given.language)
    )


def _conditions(community_id: str | None) -> dict[str, Any]:
    return {} if community_id is None else {"conditions": [{"type": "community", "communityId": community_id}]}


def _may(verb: Verb) -> tuple[Permission, ...]:
    return (Permission(verb, Subject.LEADERBOARD),)


LIST = Tool(
    name="list_leaderboards",
    description="Lists leaderboards. For the settings of one use get_leaderboard.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=List,
    gives=Page[LeaderboardItem],
    run=list_leaderboards,
    toolset="leaderboards",
    operations=(op.GET_LEADERBOARD_CONFIGS,),
)
GET = Tool(
    name="get_leaderboard",
    description="Reads one leaderboard's settings. For its prizes by rank use get_distribution.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=Get,
    gives=Leaderboard,
    run=get_leaderboard,
    toolset="leaderboards",
    operations=(op.GET_LEADERBOARD_CONFIG,),
)
CREATE = Tool(
    name="create_leaderboard",
    description="Creates a leaderboard. Then set its prizes by rank with set_distribution.",
    effect=Effect.CREATE,
    permissions=_may(Verb.CREATE),
    takes=Create,
    gives=Leaderboard,
    run=create_leaderboard,
    toolset="leaderboards",
    operations=(op.CREATE_LEADERBOARD,),
)
UPDATE = Tool(
    name="update_leaderboard",
    description="Changes a leaderboard. For its prizes use set_distribution.",
    effect=Effect.CHANGE,
    permissions=_may(Verb.UPDATE),
    takes=Update,
    gives=Leaderboard,
    run=update_leaderboard,
    toolset="leaderboards",
    operations=(op.UPDATE_LEADERBOARD_CONFIG,),
)

TOOLS = (LIST, GET, CREATE, UPDATE)
