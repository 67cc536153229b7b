"""Gifts: rewards, points and XP handed to people by name, by hand or as the winners of a giveaway."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from tools.api import operations as op
from tools.content.rewards import RewardId
from tools.outcomes import Partial
from tools.people.communities import CommunityId
from tools.refusals import Code, ToolError
from tools.shared.changes import changes
from tools.shared.payouts import AllocationType, PointsPaid, XpPaid
from tools.shared.steps import ToolCall
from tools.spec import Effect, Id, IdempotentInput, Permission, Subject, TenantApi, Tool, ToolInput, ToolOutput, Verb

Quantity = Annotated[int, Field(ge=1, description="How many.")]


class Gift(ToolInput):
    """A reward to hand out."""

    reward_id: RewardId
    quantity: Quantity = 1
    allocation_type: Annotated[AllocationType, Field(description="entries: draw tickets.")] = "assets"


class Give(IdempotentInput):
    """Arguments of give_rewards."""

    community_id: CommunityId
    user_ids: Annotated[Sequence[Id], Field(min_length=1, max_length=1000, description="From list_users.")]
    rewards: Annotated[Sequence[Gift], Field(description="Each user gets all.")] = ()
    points: PointsPaid = 0
    xp: Annotated[XpPaid, Field(validate_default=True)] = 0

    @field_validator("xp")
    @classmethod
    def _something(cls, xp: int, info: ValidationInfo) -> int:
        if not (xp or info.data.get("points", 1) or info.data.get("rewards", 1)):
            raise ValueError("nothing to give; set rewards, points or xp")
        return xp


class Handed(ToolOutput):
    """What became of it."""

    success: bool
    users_processed: float | None = None
    failed_user_ids: tuple[str, ...] | None = None


async def give_rewards(given: Give, api: TenantApi) -> Handed:
    """Rewards, points and XP handed to each of the users."""
    body = {
        "communityId": given.community_id,
        "userIds": list(given.user_ids),
        "rewards": [changes(gift) for gift in given.rewards],
        "pointsToDistribute": given.points,
        "xpToDistribute": given.xp,
        "distributionMechanism": "all",
        "amountToDistribute": max(1, len(given.rewards)),
    }
    handed = Handed.model_validate(await api.call(op.PROCESS_MANUAL_DISTRIBUTION, body=body))
    missed = handed.failed_user_ids or (() if handed.success else tuple(given.user_ids))
    if missed:
        raise _find_missed(given, handed, missed)
    return handed


def _find_missed(given: Give, handed: Handed, missed: tuple[str, ...]) -> ToolError:
    again = given.model_dump(exclude_defaults=True, exclude={"request_key"}) | {"user_ids": list(missed)}
    return ToolError(
        Code.PARTIALLY_COMPLETED,
        f"{len(missed)} of {len(given.user_ids)} users got nothing.",
        "Check those users with get_user, then give to them alone; all others have theirs.",
        partial=Partial(
            completed=({"type": "users_processed", "count": handed.users_processed},),
            failed=f"users {', '.join(missed[:20])}",
            finish=str(ToolCall("give_rewards", again)),
            undo="Nothing takes back what was handed out.",
        ),
    )


class Winner(ToolInput):
    """Someone who wins."""

    user_id: Annotated[Id, Field(description="From list_users.")]
    quantity: Quantity = 1


class Close(ToolInput):
    """Arguments of close_giveaway."""

    id: RewardId
    winners: Annotated[Sequence[Winner], Field(min_length=1, max_length=1000, description="Who wins how many.")]


class Closed(ToolOutput):
    """A giveaway that is over."""

    id: str
    closed: bool
    winners: int


async def close_giveaway(given: Close, api: TenantApi) -> Closed:
    """The winners of a manual giveaway, settled."""
    body = {"winners": [changes(winner) for winner in given.winners]}
    done = Done.model_validate(await api.call(op.PROCESS_GIVEAWAY, ids={"id": given.id}, body=body))
    if not done.success:
        raise ToolError(
            Code.CONFLICT,
            "The tenant did not close this giveaway.",
            "Read it with get_reward: it must be a manual giveaway that is still open.",
            upstream=done.message,
        )
    return Closed(id=given.id, closed=True, winners=len(given.winners))


class Done(ToolOutput):
    """How the API says that something went well or not."""

    success: bool
    message: str | None = None


GIVE = Tool(
    name="give_rewards",
    description=(
        "Hands rewards, points and XP to named users of a community at once; it cannot be taken back. "
        "To let people earn them, use set_distribution."
    ),
    effect=Effect.CREATE,
    permissions=(Permission(Verb.CREATE, Subject.DISTRIBUTION),),
    takes=Give,
    gives=Handed,
    run=give_rewards,
    toolset="rewards",
    operations=(op.PROCESS_MANUAL_DISTRIBUTION,),
)
CLOSE = Tool(
    name="close_giveaway",
    description="Names the winners of a manual giveaway and ends it for good. Find it with list_rewards.",
    effect=Effect.CHANGE,
    permissions=(Permission(Verb.UPDATE, Subject.REWARD),),
    takes=Close,
    gives=Closed,
    run=close_giveaway,
    toolset="rewards",
    operations=(op.PROCESS_GIVEAWAY,),
)

TOOLS = (GIVE, CLOSE)
