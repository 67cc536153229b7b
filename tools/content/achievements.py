"""Achievements: what members earn by doing something often enough. new_achievements.py makes them."""

from typing import Annotated, Any

from pydantic import AliasPath, Field

from tools.api import operations as op
from tools.refusals import Code, ToolError
from tools.shared.field_selection import Selecting
from tools.shared.paging import Page, PageOf, page
from tools.shared.payouts import PointsShown, XpShown
from tools.shared.previews import preview_entity
from tools.shared.schedules import Window
from tools.shared.tag_lookup import READ_TAGS, ChangedTags, tag_ids
from tools.shared.texts import ChangedStatus, ChangedTitle, Description, NewDescription, Title, brief, content
from tools.spec import (
    ConfirmedInput,
    Deleted,
    Effect,
    Id,
    Language,
    Permission,
    Subject,
    TenantApi,
    Tool,
    ToolOutput,
    Verb,
)

AchievementId = Annotated[Id, Field(description="From list_achievements.")]


class AchievementItem(ToolOutput):
    """An achievement as a list shows it; `target` is the count or sum that earns it."""

    id: str
    title: Title = None
    description: Annotated[Description, brief("get_achievement")] = None
    status: str | None = None
    community_id: str | None = None
    featured: bool | None = None
    tags: tuple[str, ...] | None = None
    target: Annotated[float | None, Field(validation_alias=AliasPath("criteria", "parameters", "value"))] = None
    points: PointsShown = None
    xp: XpShown = None
    expires_at: str | None = None


class Parameters(ToolOutput):
    """Which events a query looks at."""

    event_name: str | None = None
    event_category: str | None = None
    event_sub_category: str | None = None
    event_source_id: str | None = None
    tags: tuple[str, ...] | None = None


class Query(ToolOutput):
    """One thing an achievement measures."""

    type: str | None = None
    alias: str | None = None
    parameters: Parameters | None = None
    is_community_scoped: bool | None = None


class Achievement(AchievementItem):
    """An achievement in full; `measure` says how the queries' events add up to the target."""

    description: Description = None
    measure: Annotated[str | None, Field(validation_alias=AliasPath("criteria", "type"))] = None
    queries: tuple[Query, ...] | None = None
    progress_period: str | None = None
    display_mode: str | None = None
    campaigns: tuple[str, ...] | None = None
    starts_at: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class List(PageOf, Selecting):
    """Arguments of list_achievements."""

    selects = AchievementItem

    language: Language = None


async def list_achievements(given: List, api: TenantApi) -> Page[AchievementItem]:
    """One page of achievements."""
    return given.select_page(await page(api, op.GET_ACHIEVEMENTS, AchievementItem, given, language=given.language))


class Get(Selecting):
    """Arguments of get_achievement."""

    selects = Achievement

    id: AchievementId
    language: Language = None


async def get_achievement(given: Get, api: TenantApi) -> Achievement:
    """One achievement by id."""
    found = await api.call(op.GET_ACHIEVEMENT, ids={"id": given.id}, language=given.language)
    return given.select(Achievement.model_validate(found))


class Update(Window):
    """Arguments of update_achievement; only the members given change."""

    id: AchievementId
    title: ChangedTitle = None
    description: NewDescription = None
    target: Annotated[int | None, Field(ge=1, description="How many times earn it.")] = None
    status: ChangedStatus = None
    tags: ChangedTags = None
    language: Language = None


async def update_achievement(given: Update, api: TenantApi) -> Achievement:
    """An achievement with some members changed."""
    body = content(given, "id", "tags", "target")
    tags = await tag_ids(given.tags, api)
    if tags is not None:
        body["tags"] = tags
    if given.target is not None:
        body["criteria"] = await _criteria(given.id, given.target, api)
    return Achievement.model_validate(
        await api.call(op.UPDATE_ACHIEVEMENT, ids={"id": given.id}, body=body, language=given.language)
    )


async def _criteria(achievement_id: str, target: int, api: TenantApi) -> dict[str, Any]:
    """The criteria as they are, with another target: the API replaces them as a whole."""
    found = await api.call(op.GET_ACHIEVEMENT, ids={"id": achievement_id})
    criteria: dict[str, Any] = found.get("criteria") or {}
    if "parameters" not in criteria:
        raise ToolError(
            Code.CONFLICT,
            "This achievement has no target to change.",
            "Create one that has with create_achievement.",
        )
    return criteria | {"parameters": criteria["parameters"] | {"value": target}}


class Delete(ConfirmedInput):
    """Arguments of delete_achievement."""

    id: AchievementId


async def delete_achievement(given: Delete, api: TenantApi) -> Deleted:
    """An achievement removed for good."""
    await api.call(op.DELETE_ACHIEVEMENT, ids={"id": given.id})
    return Deleted(id=given.id, deleted=True)


def _may(verb: Verb) -> Permission:
    return Permission(verb, Subject.ACHIEVEMENT)


LIST = Tool(
    name="list_achievements",
    description="Lists achievements (badges, milestones), newest first. For all about one use get_achievement.",
    effect=Effect.READ,
    permissions=(_may(Verb.READ),),
    takes=List,
    gives=Page[AchievementItem],
    run=list_achievements,
    toolset="achievements",
    operations=(op.GET_ACHIEVEMENTS,),
)
GET = Tool(
    name="get_achievement",
    description="Reads one achievement with what it measures. For what it pays out use get_distribution.",
    effect=Effect.READ,
    permissions=(_may(Verb.READ),),
    takes=Get,
    gives=Achievement,
    run=get_achievement,
    toolset="achievements",
    operations=(op.GET_ACHIEVEMENT,),
)
UPDATE = Tool(
    name="update_achievement",
    description="Changes an achievement. For points and rewards use set_distribution.",
    effect=Effect.CHANGE,
    permissions=(_may(Verb.READ), _may(Verb.UPDATE), READ_TAGS),
    takes=Update,
    gives=Achievement,
    run=update_achievement,
    toolset="achievements",
    progress=True,
    operations=(op.GET_TAGS, op.GET_ACHIEVEMENT, op.UPDATE_ACHIEVEMENT),
)
DELETE = Tool(
    name="delete_achievement",
    description="Deletes an achievement for good. Prefer update_achievement with status archived.",
    effect=Effect.DESTROY,
    permissions=(_may(Verb.DELETE),),
    takes=Delete,
    gives=Deleted,
    run=delete_achievement,
    toolset="achievements",
    progress=True,
    operations=(op.GET_ACHIEVEMENT, op.DELETE_ACHIEVEMENT),
    preview=preview_entity("Delete the achievement", op.GET_ACHIEVEMENT),
)

TOOLS = (LIST, GET, UPDATE, DELETE)
