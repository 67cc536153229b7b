"""The report on the most active users."""

from typing import Annotated, Literal

from pydantic import Field

from tools.api import operations as op
from tools.people.users import InCommunity as Standing
from tools.people.users import Xp
from tools.shared.concurrency import gather
from tools.shared.report_shapes import InCommunity, Report, Top, bounds
from tools.spec import Effect, Permission, Subject, TenantApi, Tool, ToolInput, ToolOutput, Untrusted, Verb

Measure = Literal["points", "xp", "challenges_completed"]


class Member(ToolOutput):
    """A user with what reports count."""

    id: str
    username: Untrusted
    display_name: Untrusted | None = None
    points: float = 0
    xp: Xp = Xp()
    community_data: tuple[Standing, ...] = ()

    def of(self, community: str | None) -> tuple[Standing, ...]:
        """The user's standing in one community, or in all."""
        if community is None:
            return self.community_data
        return tuple(one for one in self.community_data if one.community_id == community.lower())

    def measure(self, measure: Measure, community: str | None) -> float:
        """What the user has of the measure, in one community or in all."""
        here = self.of(community)
        match measure:
            case "points":
                return self.points if community is None else sum(one.points or 0 for one in here)
            case "xp":
                return (self.xp.total or 0) if community is None else sum(one.xp.total or 0 for one in here)
            case "challenges_completed":
                return sum(one.challenges_completed or 0 for one in here)


class Ranked(ToolOutput):
    """One place of the ranking."""

    rank: int
    id: str
    username: Untrusted
    display_name: Untrusted | None = None
    value: float


class TopUsers(Report):
    """What report_top_users gives."""

    by: str
    users: tuple[Ranked, ...]


class Ask(ToolInput):
    """Arguments of report_top_users."""

    by: Annotated[Measure, Field(description="What to rank by.")] = "points"
    community_id: InCommunity = None
    top: Top = 10


async def report_top_users(given: Ask, api: TenantApi) -> TopUsers:
    """Users ranked by what they have now."""
    found = await gather(api, op.GET_USERS, Member)
    here = [one for one in found.items if given.community_id is None or one.of(given.community_id)]
    ranked = sorted(here, key=lambda one: one.measure(given.by, given.community_id), reverse=True)[: given.top]
    return TopUsers(
        **bounds(found),
        basis="What each user holds now; points that were spent no longer count.",
        by=given.by,
        users=tuple(
            Ranked(
                rank=place,
                id=one.id,
                username=one.username,
                display_name=one.display_name,
                value=one.measure(given.by, given.community_id),
            )
            for place, one in enumerate(ranked, 1)
        ),
    )


TOP = Tool(
    name="report_top_users",
    description="Ranks users by points, XP or challenges completed. For one's history, use get_user_analytics.",
    effect=Effect.READ,
    permissions=(Permission(Verb.READ, Subject.USER),),
    takes=Ask,
    gives=TopUsers,
    run=report_top_users,
    toolset="reports",
    progress=True,
    operations=(op.GET_USERS,),
)

TOOLS = (TOP,)
