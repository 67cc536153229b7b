"""Tags: the labels that content carries and is filtered by."""

from typing import Annotated, Any, Literal

from pydantic import Field

from tools.api import operations as op
from tools.shared.changes import changes
from tools.shared.paging import Page, PageOf, page, single
from tools.spec import (
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

TagId = Annotated[Id, Field(description="From list_tags.")]
Place = Literal["achievement", "action", "community", "challenge", "post", "reward", "reward-asset", "reward-entry"]


class Config(ToolOutput):
    """Where a tag is shown and where it filters."""

    filtering: tuple[str, ...] = ()
    display: tuple[str, ...] = ()
    iconify_icon: str | None = None


class Tag(ToolOutput):
    """A tag."""

    id: str
    value: str
    config: Config


class List(PageOf):
    """Arguments of list_tags."""

    id: Annotated[Id | None, Field(description="Only this one, from an earlier list.")] = None
    language: Language = None


async def list_tags(given: List, api: TenantApi) -> Page[Tag]:
    """One page of tags, or the one with this id."""
    if given.id is not None:
        found = await api.call(op.GET_TAG, ids={"id": given.id}, language=given.language)
        return single(Tag, found)
    return await page(api, op.GET_TAGS, Tag, given, language=given.language)


class Create(IdempotentInput):
    """Arguments of create_tag."""

    value: Annotated[str, Field(min_length=1, description="The word shown.")]
    places: Annotated[list[Place] | None, Field(description="Where it shows and filters.")] = None
    language: Language = None


async def create_tag(given: Create, api: TenantApi) -> Tag:
    """A new tag."""
    return Tag.model_validate(await api.call(op.CREATE_TAG, body=_body(given, given.places), language=given.language))


class Update(ToolInput):
    """Arguments of update_tag; only the members given change."""

    id: TagId
    value: Annotated[str | None, Field(min_length=1, description="The word shown.")] = None
    places: Annotated[list[Place] | None, Field(description="Where it shows and filters.")] = None
    language: Language = None


async def update_tag(given: Update, api: TenantApi) -> Tag:
    """A tag with some members changed."""
    answer = await api.call(
        op.UPDATE_TAG, ids={"id": given.id}, body=_body(given, given.places), language=given.language
    )
    return Tag.model_validate(answer)


def _body(given: ToolInput, places: list[Place] | None) -> dict[str, Any]:
    config = {} if places is None else {"config": {"filtering": places, "display": places}}
    return changes(given, "id", "language", "request_key", "places") | config


def _may(verb: Verb) -> tuple[Permission, ...]:
    return (Permission(verb, Subject.TAG),)


LIST = Tool(
    name="list_tags",
    description="Lists tags. To make one, use create_tag.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=List,
    gives=Page[Tag],
    run=list_tags,
    toolset="tags",
    progress=True,
    operations=(op.GET_TAGS, op.GET_TAG),
)
CREATE = Tool(
    name="create_tag",
    description="Creates a tag. Look with list_tags first.",
    effect=Effect.CREATE,
    permissions=_may(Verb.CREATE),
    takes=Create,
    gives=Tag,
    run=create_tag,
    toolset="tags",
    operations=(op.CREATE_TAG,),
)
UPDATE = Tool(
    name="update_tag",
    description="Renames a tag or changes where it is used. To make a new one, use create_tag.",
    effect=Effect.CHANGE,
    permissions=_may(Verb.UPDATE),
    takes=Update,
    gives=Tag,
    run=update_tag,
    toolset="tags",
    operations=(op.UPDATE_TAG,),
)

TOOLS = (LIST, CREATE, UPDATE)
