"""Users: the people who take part; all their own words are data, and erasing one cannot be undone."""

from typing import Annotated

from pydantic import Field

from tools.api import operations as op
from tools.refusals import Code, ToolError
from tools.shared.changes import changes
from tools.shared.field_selection import Selecting
from tools.shared.paging import Page, PageOf, page
from tools.shared.previews import preview_entity
from tools.spec import (
    ConfirmedInput,
    Effect,
    Id,
    IdempotentInput,
    Permission,
    Subject,
    TenantApi,
    Tool,
    ToolOutput,
    Untrusted,
    Verb,
)

UserId = Annotated[Id, Field(description="From list_users.")]


class Xp(ToolOutput):
    """Experience, in total."""

    total: float | None = None


class InCommunity(ToolOutput):
    """How a user stands in one community."""

    community_id: str | None = None
    challenges_completed: int | None = None
    achievements_completed: int | None = None
    points: float | None = None
    xp: Xp = Xp()


class User(ToolOutput):
    """A user as a list shows them."""

    id: str
    username: Untrusted
    display_name: Untrusted | None = None
    email: Untrusted
    points: float
    xp: Xp
    is_anonymous: bool
    created_at: str


class FullUser(User):
    """A user with profile and standing in each community."""

    full_name: Untrusted | None = None
    bio: Untrusted | None = None
    locale: str | None = None
    external_user_id: Untrusted | None = None
    keys: float | None = None
    roles: tuple[str, ...] = ()
    community_data: tuple[InCommunity, ...] = ()
    updated_at: str | None = None


class List(PageOf, Selecting):
    """Arguments of list_users."""

    selects = User


async def list_users(given: List, api: TenantApi) -> Page[User]:
    """One page of users."""
    return given.select_page(await page(api, op.GET_USERS, User, given))


class Get(Selecting):
    """Arguments of get_user."""

    selects = FullUser

    id: UserId


async def get_user(given: Get, api: TenantApi) -> FullUser:
    """One user by id."""
    return given.select(FullUser.model_validate(await api.call(op.GET_USER, ids={"id": given.id})))


class Create(IdempotentInput):
    """Arguments of create_user."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", description="To sign in with.")]
    username: Annotated[str | None, Field(min_length=1, description="Unique handle.")] = None
    display_name: Annotated[str | None, Field(min_length=1, description="Shown name.")] = None
    external_user_id: Annotated[str | None, Field(description="Id in your own system.")] = None


async def create_user(given: Create, api: TenantApi) -> FullUser:
    """A new user."""
    return FullUser.model_validate(await api.call(op.CREATE_USER, body=changes(given, "request_key")))


class Erase(ConfirmedInput):
    """Arguments of erase_user."""

    id: UserId


class Erased(ToolOutput):
    """What erase_user gives; never the person's data."""

    id: str
    erased: bool


async def erase_user(given: Erase, api: TenantApi) -> Erased:
    """A user's personal data removed for good.

    Raises:
        ToolError: conflict, when the tenant answers that it did not erase.
    """
    said = _Said.model_validate(await api.call(op.DELETE_USER_DATA, ids={"id": given.id}))
    if not said.success:
        raise ToolError(
            Code.CONFLICT,
            "The tenant answered that the user was not erased.",
            "Look with get_user, then try again.",
            upstream=said.message,
        )
    return Erased(id=given.id, erased=True)


class _Said(ToolOutput):
    success: bool
    message: str | None = None


def _may(verb: Verb) -> tuple[Permission, ...]:
    return (Permission(verb, Subject.USER),)


LIST = Tool(
    name="list_users",
    description="Lists users with points and XP. For a ranking, use report_top_users.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=List,
    gives=Page[User],
    run=list_users,
    toolset="users",
    operations=(op.GET_USERS,),
)
GET = Tool(
    name="get_user",
    description="Reads one user's profile and standings. For their history, use get_user_analytics.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=Get,
    gives=FullUser,
    run=get_user,
    toolset="users",
    operations=(op.GET_USER,),
)
CREATE = Tool(
    name="create_user",
    description="Creates a user. For colleagues, use invite_team.",
    effect=Effect.CREATE,
    permissions=_may(Verb.CREATE),
    takes=Create,
    gives=FullUser,
    run=create_user,
    toolset="users",
    operations=(op.CREATE_USER,),
)
ERASE = Tool(
    name="erase_user",
    description=(
        "Erases a user's personal data for good; an anonymous record stays. Show the person from get_user first."
    ),
    effect=Effect.DESTROY,
    permissions=_may(Verb.DELETE),
    takes=Erase,
    gives=Erased,
    run=erase_user,
    toolset="users",
    progress=True,
    operations=(op.GET_USER, op.DELETE_USER_DATA),
    preview=preview_entity(
        "Erase the personal data of the user",
        op.GET_USER,
        titles=("displayName", "username", "email"),
        counts={"points": "points"},
    ),
)

TOOLS = (LIST, GET, CREATE, ERASE)
