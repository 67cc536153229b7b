"""Prizes: what reaching something pays out, in points, XP and shares of rewards; as asked for and as it stands."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, AliasPath, Field, ValidationInfo, field_validator

from tools.api import operations as op
from tools.shared.changes import changes
from tools.shared.steps import Step, ToolCall
from tools.spec import Id, Operation, ToolInput, ToolOutput

AllocationType = Literal["assets", "entries"]
Mechanism = Literal["all", "priority", "random", "select"]
PointsPaid = Annotated[int, Field(ge=0, description="Points paid.")]
XpPaid = Annotated[int, Field(ge=0, description="Bonus XP paid.")]
RewardId = Annotated[Id, Field(description="From list_rewards.")]

WRITES: Mapping[str, tuple[Operation, str]] = {
    "challenge": (op.ASSIGN_CHALLENGE_DISTRIBUTION, "id"),
    "action": (op.ASSIGN_ACTION_DISTRIBUTION, "id"),
    "achievement": (op.ASSIGN_ACHIEVEMENT_DISTRIBUTION, "id"),
    "leaderboard": (op.ASSIGN_LEADERBOARD_DISTRIBUTION, "leaderboardConfigId"),
    "game": (op.ASSIGN_GAME_DISTRIBUTION, "gameConfigId"),
}
"""Per kind of owner: the operation that sets its prizes, and the placeholder for its id."""


class Allocation(ToolInput):
    """A part of a reward's stock set aside to be won."""

    id: Annotated[Id | None, Field(description="From get_distribution; absent: new.")] = None
    reward_id: RewardId
    supply: Annotated[int, Field(ge=0, description="Set aside.")]
    amount_to_distribute: Annotated[int, Field(ge=1, description="ToolInput per winner.")] = 1
    allocation_type: Annotated[AllocationType, Field(description="entries: draw tickets.")] = "assets"


class NewPrize(ToolInput):
    """What reaching something shall pay out."""

    points: PointsPaid = 0
    xp: XpPaid = 0
    allocations: Annotated[Sequence[Allocation], Field(description="Replaces all.")] = ()
    mechanism: Annotated[Mechanism, Field(description="Picking.")] = "all"
    picks: Annotated[int | None, Field(ge=0, description="How many allocations; absent: all.")] = None

    def body(self) -> dict[str, Any]:
        """The API's DistributionInput."""
        return {
            "pointsToDistribute": self.points,
            "bonusXpToDistribute": self.xp,
            "rewardsConfig": {
                "mechanism": self.mechanism,
                "amountToDistribute": len(self.allocations) if self.picks is None else self.picks,
                "allocations": [changes(share) for share in self.allocations],
            },
        }


class Paying(ToolInput):
    """Base of what takes a simple prize: points, XP and a part of one reward; set_distribution can do more."""

    points: PointsPaid = 0
    xp: XpPaid = 0
    reward_id: Annotated[Id | None, Field(description="From list_rewards.")] = None
    reward_supply: Annotated[int | None, Field(ge=1, validate_default=True, description="Of it set aside.")] = None

    @field_validator("reward_supply")
    @classmethod
    def _check_pairs(cls, supply: int | None, info: ValidationInfo) -> int | None:
        if (supply is None) != (info.data.get("reward_id") is None):
            raise ValueError("reward_id and reward_supply go together")
        return supply

    def payouts(self, owner_type: str, owner_id: str) -> tuple[Step, ...]:
        """The step of a chain that settles the prize; none when nothing is paid."""
        shares = [Allocation(reward_id=self.reward_id, supply=self.reward_supply or 0)] if self.reward_id else []
        if not (self.points or self.xp or shares):
            return ()
        prize = NewPrize(points=self.points, xp=self.xp, allocations=shares)
        said = {"owner_type": owner_type, "owner_id": owner_id, "prizes": [prize.model_dump(exclude_defaults=True)]}
        operation, placeholder = WRITES[owner_type]
        return (Step(operation, prize.body(), ToolCall("set_distribution", said), {placeholder: owner_id}),)


class Allocated(ToolOutput):
    """An allocation as it stands."""

    id: str | None = None
    reward_id: str | None = None
    allocation_type: str | None = None
    supply: float | None = None
    amount_to_distribute: float | None = None
    distributed: float | None = None
    is_live: bool | None = None


class Prize(ToolOutput):
    """What is paid out, as it stands; ranks on leaderboards only."""

    start_rank: int | None = None
    end_rank: int | None = None
    points: Annotated[float | None, Field(validation_alias=AliasChoices("points", "pointsToDistribute"))] = None
    xp: Annotated[float | None, Field(validation_alias=AliasChoices("xp", "bonusXpToDistribute"))] = None
    mechanism: Annotated[str | None, Field(validation_alias=AliasPath("rewardsConfig", "mechanism"))] = None
    picks: Annotated[float | None, Field(validation_alias=AliasPath("rewardsConfig", "amountToDistribute"))] = None
    allocations: Annotated[
        tuple[Allocated, ...], Field(validation_alias=AliasPath("rewardsConfig", "allocations"))
    ] = ()


PointsShown = Annotated[float | None, Field(validation_alias=AliasPath("rewardDistribution", "points"))]
XpShown = Annotated[float | None, Field(validation_alias=AliasPath("rewardDistribution", "xp"))]
