"""Reports on challenges: which are completed most, and where people give up."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from tools.api import operations as op
from tools.shared.concurrency import gather
from tools.shared.report_shapes import Content, InCommunity, Report, Top, bounds, moment, share
from tools.spec import Effect, Instant, Permission, Subject, TenantApi, Tool, ToolInput, ToolOutput, Verb


class Counted(Content):
    """A challenge with its running counts."""

    started_count: int = 0
    completed_count: int = 0
    unique_users_completed_count: int | None = None


class Completed(ToolOutput):
    """A challenge with its completions; `exact` when all of them fall into the period asked for."""

    id: str
    title: str | None = None
    status: str | None = None
    completed: int
    users: int | None = None
    exact: bool


class TopChallenges(Report):
    """What report_top_challenges gives."""

    challenges: tuple[Completed, ...]


class AskTop(ToolInput):
    """Arguments of report_top_challenges."""

    since: Annotated[Instant | None, Field(description="Such as 2026-12-17T00:00Z.")] = None
    community_id: InCommunity = None
    top: Top = 10


async def report_top_challenges(given: AskTop, api: TenantApi) -> TopChallenges:
    """The challenges completed most, of those that were open in the period."""
    found = await gather(api, op.GET_CHALLENGES, Counted)
    since = moment(given.since)
    here = [one for one in found.items if one.within(given.community_id) and _open(one, since)]
    ranked = sorted(here, key=lambda one: one.completed_count, reverse=True)[: given.top]
    return TopChallenges(
        **bounds(found),
        basis=(
            "The API keeps one running count per challenge since it was created, none per day or week. Challenges that "
            "expired before the period are left out; exact marks those created in it, whose whole count is from it."
        ),
        challenges=tuple(_count_completed(one, since) for one in ranked),
    )


def _open(one: Counted, since: datetime | None) -> bool:
    expires_at = moment(one.expires_at)
    return since is None or expires_at is None or expires_at >= since


def _count_completed(one: Counted, since: datetime | None) -> Completed:
    created_at = moment(one.created_at)
    return Completed(
        id=one.id,
        title=one.title,
        status=one.status,
        completed=one.completed_count,
        users=one.unique_users_completed_count,
        exact=since is None or (created_at is not None and created_at >= since),
    )


class DropOff(ToolOutput):
    """How many of those who began a challenge finished it; the rate lies between 0 and 1."""

    id: str
    title: str | None = None
    started: int
    completed: int
    given_up: int
    completion_rate: float


class Completion(Report):
    """What report_completion gives."""

    started: int
    completed: int
    completion_rate: float
    challenges: tuple[DropOff, ...]


class AskCompletion(ToolInput):
    """Arguments of report_completion."""

    community_id: InCommunity = None
    top: Top = 10


async def report_completion(given: AskCompletion, api: TenantApi) -> Completion:
    """Completion of challenges, the greatest loss first."""
    found = await gather(api, op.GET_CHALLENGES, Counted)
    here = [one for one in found.items if one.within(given.community_id)]
    rows = [_drop_off(one) for one in here if one.started_count]
    started, completed = sum(row.started for row in rows), sum(row.completed for row in rows)
    return Completion(
        **bounds(found),
        basis="Starts and completions since each challenge was created, counted in attempts, not in people.",
        started=started,
        completed=completed,
        completion_rate=share(completed, started),
        challenges=tuple(sorted(rows, key=lambda row: (row.completion_rate, -row.started))[: given.top]),
    )


def _drop_off(one: Counted) -> DropOff:
    return DropOff(
        id=one.id,
        title=one.title,
        started=one.started_count,
        completed=one.completed_count,
        given_up=max(0, one.started_count - one.completed_count),
        completion_rate=share(one.completed_count, one.started_count),
    )


TOP = Tool(
    name="report_top_challenges",
    description=(
        "Ranks challenges by completions and says how far that fits the period. For drop-off, use report_completion."
    ),
    effect=Effect.READ,
    permissions=(Permission(Verb.READ, Subject.CHALLENGE),),
    takes=AskTop,
    gives=TopChallenges,
    run=report_top_challenges,
    toolset="reports",
    progress=True,
    operations=(op.GET_CHALLENGES,),
)
COMPLETION = Tool(
    name="report_completion",
    description="Compares starts with completions per challenge, worst first. To rank, use report_top_challenges.",
    effect=Effect.READ,
    permissions=(Permission(Verb.READ, Subject.CHALLENGE),),
    takes=AskCompletion,
    gives=Completion,
    run=report_completion,
    toolset="reports",
    progress=True,
    operations=(op.GET_CHALLENGES,),
)

TOOLS = (TOP, COMPLETION)
