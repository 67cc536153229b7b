"""The report on points and XP handed out, day by day, and the days that stand out."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from statistics import median
from typing import Annotated

from pydantic import Field

from tools.api import operations as op
from tools.people.user_analytics import Played, UserAnalytics, details
from tools.refusals import Code, ToolError
from tools.reports.users import Member
from tools.shared.concurrency import gather, together
from tools.shared.report_shapes import Report, moment
from tools.spec import Effect, Permission, Subject, TenantApi, Tool, ToolInput, ToolOutput, Verb

PEOPLE = 100
"""Users whose history is read: one request each, those with the most XP first."""

_TIMES = 3
_COMPARED = 3


class Day(ToolOutput):
    """What was earned on one day (UTC)."""

    date: str
    points: float
    xp: float
    completions: int
    unusual: bool = False


class Points(Report):
    """What report_points gives; `read` and `total` count users."""

    since: str
    points: float
    xp: float
    unusual_days: tuple[str, ...]
    days: tuple[Day, ...]
    points_held_now: float


class Ask(ToolInput):
    """Arguments of report_points."""

    days: Annotated[int, Field(ge=1, le=90, description="Until now.")] = 30


async def report_points(given: Ask, api: TenantApi) -> Points:
    """Points and XP earned per day, from the histories of the most active users."""
    since = datetime.now(UTC) - timedelta(days=given.days)
    found = await gather(api, op.GET_USERS, Member)
    chosen = sorted(found.items, key=lambda one: one.xp.total or 0, reverse=True)[:PEOPLE]
    histories = await together(api, [partial(_history, one.id, api) for one in chosen], "histories")
    known = [history for history in histories if history is not None]
    days = _flag(_days((played for history in known for played in history.challenges), since))
    return Points(
        basis=(
            f"Points and XP that completed challenges paid, from the histories of at most {PEOPLE} users, those with "
            "the most XP first; gifts and prizes are not in the histories. A day is unusual when its points are more "
            f"than {_TIMES} times the median of the other days with points, given at least {_COMPARED} of them."
        ),
        read=len(known),
        total=found.total,
        capped=found.capped or len(known) < found.total,
        since=since.isoformat(timespec="seconds").replace("+00:00", "Z"),
        points=sum(day.points for day in days),
        xp=sum(day.xp for day in days),
        unusual_days=tuple(day.date for day in days if day.unusual),
        days=days,
        points_held_now=sum(one.points for one in found.items),
    )


async def _history(user_id: str, api: TenantApi) -> UserAnalytics | None:
    try:
        return await details(user_id, api)
    except ToolError as refusal:
        if refusal.code is Code.NOT_FOUND:  # erased since the list was read
            return None
        raise


@dataclass(slots=True)
class _Sum:
    points: float = 0
    xp: float = 0
    completions: int = 0


def _days(history: Iterable[Played], since: datetime) -> tuple[Day, ...]:
    sums: defaultdict[date, _Sum] = defaultdict(_Sum)
    for played in history:
        completed_at = moment(played.completed_at)
        if completed_at is not None and completed_at >= since:
            day = sums[completed_at.astimezone(UTC).date()]
            day.points += played.points_earned or 0
            day.xp += played.xp_earned or 0
            day.completions += 1
    return tuple(
        Day(date=day.isoformat(), points=sums[day].points, xp=sums[day].xp, completions=sums[day].completions)
        for day in sorted(sums)
    )


def _flag(days: tuple[Day, ...]) -> tuple[Day, ...]:
    """Compare with the median: unlike a mean, one spike does not move it and so cannot hide itself or another."""

    def unusual(day: Day) -> bool:
        others = [other.points for other in days if other is not day and other.points]
        return len(others) >= _COMPARED and day.points > _TIMES * median(others)

    return tuple(day.model_copy(update={"unusual": unusual(day)}) for day in days)


REPORT = Tool(
    name="report_points",
    description=(
        "Sums points and XP earned per day and flags unusual days; slow. For who holds most, use report_top_users."
    ),
    effect=Effect.READ,
    permissions=(Permission(Verb.READ, Subject.USER), Permission(Verb.READ, Subject.ANALYTICS)),
    takes=Ask,
    gives=Points,
    run=report_points,
    toolset="reports",
    progress=True,
    operations=(op.GET_USERS, op.GET_USER_ANALYTICS_DETAILS),
)

TOOLS = (REPORT,)
