"""The summary of one community: what is in it, who takes part, what they did."""

from collections import Counter
from collections.abc import Iterable

from pydantic import Field

from tools.api import operations as op
from tools.people.communities import Community, CommunityId
from tools.reports.challenges import Counted
from tools.reports.users import Member
from tools.shared.concurrency import gather
from tools.shared.report_shapes import Content, Report, share
from tools.spec import Effect, Permission, Subject, TenantApi, Tool, ToolInput, ToolOutput, Verb


class ByStatus(ToolOutput):
    """How many of one kind there are, in all and per status."""

    count: int
    per_status: dict[str, int] = Field(default_factory=dict)


class Summary(Report):
    """What report_community gives; `read` and `total` count everything the organisation has of these kinds."""

    community: Community
    challenges: ByStatus
    rewards: ByStatus
    posts: ByStatus
    started: int
    completed: int
    completion_rate: float
    members: int
    points_held_now: float


class Ask(ToolInput):
    """Arguments of report_community."""

    community_id: CommunityId


async def report_community(given: Ask, api: TenantApi) -> Summary:
    """One community in numbers."""
    here = given.community_id
    community = Community.model_validate(await api.call(op.GET_COMMUNITY, ids={"id": here}))
    challenges = await gather(api, op.GET_CHALLENGES, Counted)
    rewards = await gather(api, op.GET_REWARDS, Content)
    posts = await gather(api, op.GET_POSTS, Content, query={"communityId": here})
    users = await gather(api, op.GET_USERS, Member)
    lists = (challenges, rewards, posts, users)
    played = [one for one in challenges.items if one.within(here)]
    standings = [one.of(here) for one in users.items]
    started, completed = sum(one.started_count for one in played), sum(one.completed_count for one in played)
    return Summary(
        basis="Counts since the community was created; members are users with a standing in it.",
        read=sum(len(one.items) for one in lists),
        total=sum(one.total for one in lists),
        capped=any(one.capped for one in lists),
        community=community,
        challenges=_by_status(played),
        rewards=_by_status(one for one in rewards.items if one.within(here)),
        posts=_by_status(posts.items),
        started=started,
        completed=completed,
        completion_rate=share(completed, started),
        members=sum(bool(standing) for standing in standings),
        points_held_now=sum(one.points or 0 for standing in standings for one in standing),
    )


def _by_status(content: Iterable[Content]) -> ByStatus:
    found = Counter(one.status or "unknown" for one in content)
    return ByStatus(count=found.total(), per_status=dict(found))


REPORT = Tool(
    name="report_community",
    description="Sums up a community: content per status, completion, members. To find its id, use list_communities.",
    effect=Effect.READ,
    permissions=tuple(
        Permission(Verb.READ, subject)
        for subject in (Subject.COMMUNITY, Subject.CHALLENGE, Subject.REWARD, Subject.POST, Subject.USER)
    ),
    takes=Ask,
    gives=Summary,
    run=report_community,
    toolset="reports",
    progress=True,
    operations=(op.GET_COMMUNITY, op.GET_CHALLENGES, op.GET_REWARDS, op.GET_POSTS, op.GET_USERS),
)

TOOLS = (REPORT,)
