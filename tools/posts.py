"""Posts: what an organisation publishes in the feed of a community."""

from typing import Annotated, Any

from pydantic import Field

from tools import operations as op
from tools.communities import CommunityId
from tools.edits import changes
from tools.paging import Page, PageOf, page
from tools.spec import (
    Answer,
    Creating,
    Deleted,
    Destroying,
    Effect,
    Given,
    Id,
    Instant,
    Language,
    Permission,
    Status,
    Subject,
    TenantApi,
    Tool,
    Verb,
)

PostId = Annotated[Id, Field(description="Post id, from list_posts.")]
Html = Annotated[str, Field(min_length=1, max_length=50_000, description="Body as HTML, such as <p>Hello</p>.")]
Tags = Annotated[list[Id] | None, Field(description="Tag ids, from list_tags; replaces all.")]


class Details(Answer):
    """Heading and summary of a post."""

    title: str | None = None
    description: str | None = None


class Post(Answer):
    """A post as a list shows it; get_post has the body."""

    id: str
    community_id: str
    details: Details
    status: str | None = None
    featured: bool | None = None
    starts_at: str | None = None
    expires_at: str | None = None
    tags: tuple[str, ...] | None = None
    updated_at: str | None = None


class FullPost(Post):
    """A post with its body."""

    content: str | None = None
    disable_comments: bool | None = None
    disable_likes: bool | None = None
    campaigns: tuple[str, ...] | None = None


class List(PageOf):
    """Arguments of list_posts."""

    community_id: Annotated[CommunityId | None, Field(description="Only this community, from list_communities.")] = None
    language: Language = None


async def list_posts(given: List, api: TenantApi) -> Page[Post]:
    """One page of posts, without bodies."""
    return await page(
        api, op.GET_POSTS, Post, given, query={"communityId": given.community_id}, language=given.language
    )


class Get(Given):
    """Arguments of get_post."""

    id: PostId
    language: Language = None


async def get_post(given: Get, api: TenantApi) -> FullPost:
    """One post with its body."""
    return FullPost.model_validate(await api.call(op.GET_POST, ids={"id": given.id}, language=given.language))


class Create(Creating):
    """Arguments of create_post."""

    community_id: CommunityId
    title: Annotated[str, Field(min_length=1, max_length=200, description="Heading.")]
    description: Annotated[str | None, Field(max_length=3000, description="Summary.")] = None
    content: Html
    status: Annotated[Status, Field(description="draft until it should be seen.")] = "draft"
    starts_at: Annotated[Instant | None, Field(description="Shown from.")] = None
    expires_at: Annotated[Instant | None, Field(description="Shown until.")] = None
    featured: Annotated[bool | None, Field(description="Pin on top.")] = None
    tags: Tags = None
    language: Language = None


async def create_post(given: Create, api: TenantApi) -> FullPost:
    """A new post."""
    return FullPost.model_validate(await api.call(op.CREATE_POST, body=_body(given), language=given.language))


class Update(Given):
    """Arguments of update_post; only the members given change."""

    id: PostId
    title: Annotated[str | None, Field(min_length=1, max_length=200, description="Heading.")] = None
    description: Annotated[str | None, Field(max_length=3000, description="Summary.")] = None
    content: Annotated[Html | None, Field(description="Body as HTML; replaces all.")] = None
    status: Annotated[Status | None, Field(description="archived hides it and can be undone.")] = None
    starts_at: Annotated[Instant | None, Field(description="Shown from.")] = None
    expires_at: Annotated[Instant | None, Field(description="Shown until.")] = None
    featured: Annotated[bool | None, Field(description="Pin on top.")] = None
    tags: Tags = None
    language: Language = None


async def update_post(given: Update, api: TenantApi) -> FullPost:
    """A post with some members changed."""
    answer = await api.call(op.UPDATE_POST, ids={"id": given.id}, body=_body(given), language=given.language)
    return FullPost.model_validate(answer)


def _body(given: Given) -> dict[str, Any]:
    flat = changes(given, "id", "language", "request_key")
    details = {name: flat.pop(name) for name in ("title", "description") if name in flat}
    return flat | ({"details": details} if details else {})


class Delete(Destroying):
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
    description="Creates a feed post, as a draft unless told otherwise. To change one or publish it, use update_post.",
    effect=Effect.CREATE,
    permissions=_may(Verb.CREATE),
    takes=Create,
    gives=FullPost,
    run=create_post,
    toolset="posts",
    operations=(op.CREATE_POST,),
)
UPDATE = Tool(
    name="update_post",
    description="Changes a post; members left out stay. Set status to live to publish, archived instead of deleting.",
    effect=Effect.CHANGE,
    permissions=_may(Verb.UPDATE),
    takes=Update,
    gives=FullPost,
    run=update_post,
    toolset="posts",
    operations=(op.UPDATE_POST,),
)
DELETE = Tool(
    name="delete_post",
    description="Deletes a post for good. Prefer update_post with status archived, which can be undone.",
    effect=Effect.DESTROY,
    permissions=_may(Verb.DELETE),
    takes=Delete,
    gives=Deleted,
    run=delete_post,
    toolset="posts",
    operations=(op.DELETE_POST,),
)

TOOLS = (LIST, GET, CREATE, UPDATE, DELETE)
