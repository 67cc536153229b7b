"""Challenges: what members of a community take part in. Making one is a chain of its own, beside this."""

from typing import Annotated

from pydantic import AliasPath, Field

from tools.api import operations as op
from tools.shared.field_selection import Selecting
from tools.shared.paging import Page, PageOf, page
from tools.shared.payouts import PointsShown, XpShown
from tools.shared.previews import preview_entity
from tools.shared.schedules import Window
from tools.shared.tag_lookup import READ_TAGS, ChangedTags, tag_ids
from tools.shared.texts import (
    ChangedStatus,
    ChangedTitle,
    Completions,
    Description,
    Featured,
    NewDescription,
    ProgressPeriod,
    Title,
    brief,
    content,
)
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

ChallengeId = Annotated[Id, Field(description="From list_challenges.")]


class ChallengeItem(ToolOutput):
    """A challenge as a list shows it."""

    id: str
    title: Title = None
    description: Annotated[Description, brief("get_challenge")] = None
    status: str | None = None
    community_id: str | None = None
    featured: bool | None = None
    tags: tuple[str, ...] | None = None
    starts_at: str | None = None
    expires_at: str | None = None
    number_of_actions: int | None = None
    points: PointsShown = None
    xp: XpShown = None
    started_count: int | None = None
    completed_count: int | None = None
    created_at: str | None = None


class Challenge(ChallengeItem):
    """A challenge in full."""

    description: Description = None
    additional_community_ids: tuple[str, ...] | None = None
    progress_period: str | None = None
    max_completions_per_period: int | None = None
    is_linear: bool | None = None
    is_skippable: bool | None = None
    unlock_price: float | None = None
    campaigns: tuple[str, ...] | None = None
    group_ids: tuple[str, ...] | None = None
    action_ids: tuple[str, ...] | None = None
    video_url: Annotated[str | None, Field(validation_alias=AliasPath("videoConfig", "videoUrl"))] = None
    unique_users_started_count: int | None = None
    unique_users_completed_count: int | None = None
    updated_at: str | None = None


class List(PageOf, Selecting):
    """Arguments of list_challenges."""

    selects = ChallengeItem

    language: Language = None


async def list_challenges(given: List, api: TenantApi) -> Page[ChallengeItem]:
    """One page of challenges, in the API's order."""
    return given.select_page(await page(api, op.GET_CHALLENGES, ChallengeItem, given, language=given.language))


class Get(Selecting):
    """Arguments of get_challenge."""

    selects = Challenge

    id: ChallengeId
    language: Language = None


async def get_challenge(given: Get, api: TenantApi) -> Challenge:
    """One challenge by id."""
    found = await api.call(op.GET_CHALLENGE, ids={"id": given.id}, language=given.language)
    return given.select(Challenge.model_validate(found))


class Update(Window):
    """Arguments of update_challenge; only the members given change."""

    id: ChallengeId
    title: ChangedTitle = None
    description: NewDescription = None
    status: ChangedStatus = None
    featured: Featured = None
    tags: ChangedTags = None
    progress_period: ProgressPeriod = None
    max_completions_per_period: Completions = None
    video_url: Annotated[str | None, Field(pattern=r"^https://\S+$", description="Video to watch.")] = None
    language: Language = None


async def update_challenge(given: Update, api: TenantApi) -> Challenge:
    """A challenge with some members changed."""
    body = content(given, "id", "tags", "video_url")
    tags = await tag_ids(given.tags, api)
    if tags is not None:
        body["tags"] = tags
    if given.video_url is not None:
        body["videoConfig"] = {"videoUrl": given.video_url, "isVideoEnabled": True}
    return Challenge.model_validate(
        await api.call(op.UPDATE_CHALLENGE, ids={"id": given.id}, body=body, language=given.language)
    )


class Delete(ConfirmedInput):
    """Arguments of delete_challenge."""

    id: ChallengeId


async def delete_challenge(given: Delete, api: TenantApi) -> Deleted:
    """A challenge removed for good."""
    await api.call(op.DELETE_CHALLENGE, ids={"id": given.id})
    return Deleted(id=given.id, deleted=True)


def _may(verb: Verb) -> Permission:
    return Permission(verb, Subject.CHALLENGE)


LIST = Tool(
    name="list_challenges",
    description="Lists challenges, newest first, with counts of completions. For all about one use get_challenge.",
    effect=Effect.READ,
    permissions=(_may(Verb.READ),),
    takes=List,
    gives=Page[ChallengeItem],
    run=list_challenges,
    toolset="challenges",
    operations=(op.GET_CHALLENGES,),
)
GET = Tool(
    name="get_challenge",
    description="Reads one challenge. For its actions use list_actions, for its rewards get_distribution.",
    effect=Effect.READ,
    permissions=(_may(Verb.READ),),
    takes=Get,
    gives=Challenge,
    run=get_challenge,
    toolset="challenges",
    operations=(op.GET_CHALLENGE,),
)
UPDATE = Tool(
    name="update_challenge",
    description=(
        "Changes a challenge. To publish it, set status live. "
        "For points and rewards use set_distribution, for actions create_action."
    ),
    effect=Effect.CHANGE,
    permissions=(_may(Verb.UPDATE), READ_TAGS),
    takes=Update,
    gives=Challenge,
    run=update_challenge,
    toolset="challenges",
    progress=True,
    operations=(op.GET_TAGS, op.UPDATE_CHALLENGE),
)
DELETE = Tool(
    name="delete_challenge",
    description="Deletes a challenge for good. Prefer update_challenge with status archived, which can be undone.",
    effect=Effect.DESTROY,
    permissions=(_may(Verb.DELETE),),
    takes=Delete,
    gives=Deleted,
    run=delete_challenge,
    toolset="challenges",
    progress=True,
    operations=(op.GET_CHALLENGE, op.DELETE_CHALLENGE),
    preview=preview_entity(
        "Delete the challenge",
        op.GET_CHALLENGE,
        counts={"numberOfActions": "actions", "startedCount": "starts", "completedCount": "completions"},
    ),
)

TOOLS = (LIST, GET, UPDATE, DELETE)
