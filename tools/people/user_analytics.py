"""Analytics: one user's history, from the tenant's analytics API."""

from typing import Annotated, TypeVar

from pydantic import Field

from tools.api import operations as op
from tools.people.users import UserId
from tools.refusals import Code, ToolError
from tools.spec import Effect, Permission, Subject, TenantApi, Tool, ToolInput, ToolOutput, Untrusted, Verb

EntryT = TypeVar("EntryT", bound=ToolOutput)


class Stats(ToolOutput):
    """A user's totals since they joined."""

    total_points: float | None = None
    total_xp: Annotated[float | None, Field(alias="totalXP")] = None
    current_level: float | None = None
    total_achievements: float | None = None
    total_challenges_completed: float | None = None
    total_challenges_started: float | None = None
    total_rewards_earned: float | None = None


class Played(ToolOutput):
    """What a user did with one challenge."""

    challenge_id: str | None = None
    challenge_name: str | None = None
    status: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    points_earned: float | None = None
    xp_earned: float | None = None
    attempts_count: float | None = None


class Achieved(ToolOutput):
    """How far a user is with one achievement."""

    achievement_id: str | None = None
    achievement_name: str | None = None
    progress: float | None = None
    progress_max: float | None = None
    is_completed: bool | None = None
    completed_at: str | None = None


class Won(ToolOutput):
    """A reward a user holds; never its code, which is money."""

    reward_id: str | None = None
    reward_name: str | None = None
    status: str | None = None
    acquired_at: str | None = None
    redeemed_at: str | None = None
    expires_at: str | None = None


class UserAnalytics(ToolOutput):
    """One user's history, newest first."""

    user_id: str | None = None
    username: Untrusted | None = None
    display_name: Untrusted | None = None
    created_at: str | None = None
    stats: Stats = Stats()
    challenges: tuple[Played, ...] = ()
    achievements: tuple[Achieved, ...] = ()
    reward_assets: tuple[Won, ...] = ()


class Get(ToolInput):
    """Arguments of get_user_analytics."""

    user_id: UserId
    latest: Annotated[int, Field(ge=1, le=100, description="Entries per kind.")] = 20


async def get_user_analytics(given: Get, api: TenantApi) -> UserAnalytics:
    """One user's totals and newest history."""
    found = await details(given.user_id, api)
    return found.model_copy(
        update={
            "challenges": _newest(found.challenges, given.latest, "completed_at", "started_at"),
            "achievements": _newest(found.achievements, given.latest, "completed_at"),
            "reward_assets": _newest(found.reward_assets, given.latest, "acquired_at"),
        }
    )


async def details(user_id: str, api: TenantApi) -> UserAnalytics:
    """One user's whole history.

    Raises:
        ToolError: upstream_invalid, when the API answers about somebody else: how it picks the user is not documented.
    """
    found = UserAnalytics.model_validate(await api.call(op.GET_USER_ANALYTICS_DETAILS, query={"userId": user_id}))
    if found.user_id is None or found.user_id.lower() != user_id.lower():
        raise ToolError(
            Code.UPSTREAM_INVALID,
            "The analytics API answered about another user than the one asked for.",
            "Use get_user, which has the user's totals.",
        )
    return found


def _newest(entries: tuple[EntryT, ...], latest: int, *moments: str) -> tuple[EntryT, ...]:
    def moment(entry: EntryT) -> str:
        return next((at for name in moments if (at := getattr(entry, name))), "")

    return tuple(sorted(entries, key=moment, reverse=True)[:latest])


GET = Tool(
    name="get_user_analytics",
    description="Reads one user's totals and latest history. For the profile, use get_user.",
    effect=Effect.READ,
    permissions=(Permission(Verb.READ, Subject.ANALYTICS),),
    takes=Get,
    gives=UserAnalytics,
    run=get_user_analytics,
    toolset="analytics",
    operations=(op.GET_USER_ANALYTICS_DETAILS,),
)

TOOLS = (GET,)
