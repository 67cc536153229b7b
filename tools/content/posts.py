"""Posts: what an organisation publishes in the feed of a community."""

from typing import Annotated, Any

from pydantic import Field

from tools.api import operations as op
from tools.people.communities import CommunityId
from tools.shared.field_selection import Selecting
from tools.shared.paging import Page, PageOf, page
from tools.shared.previews import preview_entity
from tools.shared.schedules import Window
from tools.shared.tag_lookup import READ_TAGS, TagNames, tag_ids
from tools.shared.texts import (
    ChangedStatus,
    ChangedTitle,
    Description,
    Featured,
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
    Language,
    Permission,
    Subject,
    TenantApi,
    Tool,
    ToolInput,
    ToolOutput,
    Verb,
)

PostId = Annotated[Id, Field(description="From list_posts.")]
Html = Annotated[str, Field(min_length=1, max_length=50_000, description="HTML body.")]


class Post(ToolOutput):
    """A post as a list shows it; get_post has the body."""

    id: str
    community_id: str
    title: Title = None
    description: Annotated[Description, brief("get_post")] = None
    status: str | None = None
    featured: bool | None = None
    starts_at: str | None = None
    expires_at: str | None = None
    tags: tuple[str, ...] | None = None
    updated_at: str | None = None


class FullPost(Post):
    """A post with its body."""

    description: Description = None
    content: str | None = None
    disable_comments: bool | None = None
    disable_likes: bool | None = None
    campaigns: tuple[str, ...] | None = None


class List(PageOf, Selecting):
    """Arguments of list_posts."""

    selects = Post

    community_id: Annotated[CommunityId | None, Field(description="Only of this one, from list_communities.")] = None
    language: Language = None


async def list_posts(given: List, api: TenantApi) -> Page[Post]:
    """One page of posts, without bodies."""
    query = {"communityId": given.community_id}
    return given.select_page(await page(api, op.GET_POSTS, Post, given, query=query, language=given.language))


class Get(Selecting):
    """Arguments of get_post."""

    selects = FullPost

    id: PostId
    language: Language = None


async def get_post(given: Get, api: TenantApi) -> FullPost:
    """One post with its body."""
    answer = await api.call(op.GET_POST, ids={"id": given.id}, language=given.language)
    return given.select(FullPost.model_validate(answer))


class Create(IdempotentInput, Window):
    """Arguments of create_post."""

    community_id: CommunityId
    title: NewTitle
    description: NewDescription = None
    content: Html
    status: NewStatus = "draft"
    tags: TagNames = None
    language: Language = None


async def create_post(given: Create, api: TenantApi) -> FullPost:
    """A new post."""
    body = await _body(given, given.tags, api)
    return FullPost.model_validate(await api.call(op.CREATE_POST, body=body, language=given.language))


class Update(Window):
    """Arguments of update_post; only the members given change."""

    id: PostId
    title: ChangedTitle = None
    description: NewDescription = None
    content: Annotated[Html | None, Field(description="HTML body.")] = None
    status: ChangedStatus = None
    featured: Featured = None
    tags: TagNames = None
    language: Language = None


async def update_post(given: Update, api: TenantApi) -> FullPost:
    """A post with some members changed."""
    body = await _body(given, given.tags, api)
    answer = await api.call(op.UPDATE_POST, ids={"id": given.id}, body=body, language=given.language)
    return FullPost.model_validate(answer)


async def _body(given: ToolInput, tags: list[str] | None, api: TenantApi) -> dict[str, Any]:
    ids = await tag_ids(tags, api)
    return content(given, "id", "tags") | ({} if ids is None else {"tags": ids})


class Delete(ConfirmedInput):
    """Arguments of delete_post."""

    id: PostId


async def delete_post(given: Delete, api: TenantApi) -> Deleted:
    """A post removed for good."""
    await api.call(op.DELETE_POST, ids={"id": given.id})
    return Deleted(id=given.id, deleted=True)


def _may(verb: Verb) -> tuple[Permission, ...]:
    return (Permission(verb, Subject.POST),)


LIST = Tool(
    name="list_posts",
    description="Lists feed posts without their bodies. To read a body, use get_post.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=List,
    gives=Page[Post],
    run=list_posts,
    toolset="posts",
    operations=(op.GET_POSTS,),
)
GET = Tool(
    name="get_post",
    description="Reads one post with its HTML body. To find its id, use list_posts.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=Get,
    gives=FullPost,
    run=get_post,
    toolset="posts",
    operations=(op.GET_POST,),
)
CREATE = Tool(
    name="create_post",
    description="Creates a feed post, a draft by default. To change or publish it, use update_post.",
    effect=Effect.CREATE,
    permissions=(*_may(Verb.CREATE), READ_TAGS),
    takes=Create,
    gives=FullPost,
    run=create_post,
    toolset="posts",
    progress=True,
    operations=(op.GET_TAGS, op.CREATE_POST),
)
UPDATE = Tool(
    name="update_post",
    description="Changes a post: status live publishes, archived hides. To remove it, use delete_post.",
    effect=Effect.CHANGE,
    permissions=(*_may(Verb.UPDATE), READ_TAGS),
    takes=Update,
    gives=FullPost,
    run=update_post,
    toolset="posts",
    progress=True,
    operations=(op.GET_TAGS, op.UPDATE_POST),
)
DELETE = Tool(
    name="delete_post",
    description="Deletes a post for good. update_post with status archived can be undone.",
    effect=Effect.DESTROY,
    permissions=_may(Verb.DELETE),
    takes=Delete,
    gives=Deleted,
    run=delete_post,
    toolset="posts",
    progress=True,
    operations=(op.GET_POST, op.DELETE_POST),
    preview=preview_entity("Delete the post", op.GET_POST),
)

TOOLS = (LIST, GET, CREATE, UPDATE, DELETE)
