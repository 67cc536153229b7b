"""The report on rewards that are running out."""

from typing import Annotated

from pydantic import Field

from tools.api import operations as op
from tools.shared.concurrency import gather
from tools.shared.report_shapes import Content, InCommunity, Report, Top, bounds, share
from tools.spec import Effect, Permission, Subject, TenantApi, Tool, ToolInput, ToolOutput, Verb


class Allocation(ToolOutput):
    """A part of a reward's stock and what of it was handed out."""

    supply: float | None = None
    distributed: float | None = None


class Stocked(Content):
    """A reward with its stock."""

    allocations: tuple[Allocation, ...] | None = None

    @property
    def supply(self) -> float:
        """How many there ever were, in allocations that are limited."""
        return sum(one.supply for one in self.allocations or () if one.supply)

    @property
    def remaining(self) -> float:
        """How many are left of them."""
        limited = [one for one in self.allocations or () if one.supply]
        return sum(max(0.0, (one.supply or 0) - (one.distributed or 0)) for one in limited)


class Low(ToolOutput):
    """A reward that is running out; the share left lies between 0 and 1."""

    id: str
    title: str | None = None
    remaining: float
    supply: float
    share_left: float


class RewardsLow(Report):
    """What report_rewards_low gives; `unknown` rewards have no limited allocation to count."""

    rewards: tuple[Low, ...]
    unknown: int


class Ask(ToolInput):
    """Arguments of report_rewards_low."""

    below_percent: Annotated[int, Field(ge=1, le=100, description="Stock left, at most.")] = 20
    community_id: InCommunity = None
    top: Top = 20


async def report_rewards_low(given: Ask, api: TenantApi) -> RewardsLow:
    """Live rewards with little stock left, the scarcest first."""
    found = await gather(api, op.GET_REWARDS, Stocked)
    live = [one for one in found.items if one.status == "live" and one.within(given.community_id)]
    rows = [_low(one) for one in live if one.supply and one.remaining * 100 <= one.supply * given.below_percent]
    return RewardsLow(
        **bounds(found),
        basis="Live rewards; supply minus distributed over all allocations that have a supply.",
        rewards=tuple(sorted(rows, key=lambda row: (row.share_left, row.remaining))[: given.top]),
        unknown=sum(not one.supply for one in live),
    )


def _low(one: Stocked) -> Low:
    return Low(
        id=one.id,
        title=one.title,
        remaining=one.remaining,
        supply=one.supply,
        share_left=share(one.remaining, one.supply),
    )


LOW = Tool(
    name="report_rewards_low",
    description="Lists live rewards running out, scarcest first. For the whole stock, use get_reward.",
    effect=Effect.READ,
    permissions=(Permission(Verb.READ, Subject.REWARD),),
    takes=Ask,
    gives=RewardsLow,
    run=report_rewards_low,
    toolset="reports",
    progress=True,
    operations=(op.GET_REWARDS,),
)

TOOLS = (LOW,)
