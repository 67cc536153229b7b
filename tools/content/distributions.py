"""Distributions: what a challenge, action, achievement, leaderboard or game pays out; one pair of tools for all."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from tools.api import operations as op
from tools.shared.payouts import WRITES, NewPrize, Prize
from tools.spec import Effect, Id, Permission, Subject, TenantApi, Tool, ToolInput, ToolOutput, Verb

Owner = Literal["challenge", "action", "achievement", "leaderboard"]
OwnerId = Annotated[Id, Field(description="From list_challenges, list_actions, list_games ...")]

_READS = {
    "challenge": op.GET_CHALLENGE_DISTRIBUTION,
    "action": op.GET_ACTION_DISTRIBUTION,
    "achievement": op.GET_ACHIEVEMENT_DISTRIBUTION,
    "leaderboard": op.GET_LEADERBOARD_DISTRIBUTION,
}
_MANY = {"leaderboard": "rewards", "game": "distributions"}
"""Owners with more than one prize, and the member of the API's body that holds them."""


def _readable(owner_type: Any) -> Any:
    if owner_type == "game":
        raise ValueError("no reading of a game's prizes in the API; legal: challenge, action, achievement, leaderboard")
    return owner_type


class Distribution(ToolOutput):
    """What an owner pays out: one prize, or one per span of ranks."""

    owner_type: str
    owner_id: str
    prizes: tuple[Prize, ...]


class Get(ToolInput):
    """Arguments of get_distribution."""

    owner_type: Annotated[Owner, BeforeValidator(_readable), Field(description="What pays out; games cannot be read.")]
    owner_id: OwnerId


async def get_distribution(given: Get, api: TenantApi) -> Distribution:
    """What one owner pays out."""
    _, placeholder = WRITES[given.owner_type]
    found = await api.call(_READS[given.owner_type], ids={placeholder: given.owner_id})
    return _shape(given.owner_type, given.owner_id, found)


class SetPrize(NewPrize):
    """A prize as set; ranks on leaderboards only."""

    start_rank: Annotated[int | None, Field(ge=1, description="Leaderboards only: paid from here.")] = None
    end_rank: Annotated[int | None, Field(ge=1, description="To here; absent: start_rank.")] = None

    @field_validator("end_rank")
    @classmethod
    def _behind(cls, end_rank: int | None, info: ValidationInfo) -> int | None:
        start_rank = info.data.get("start_rank")
        if end_rank is not None and (start_rank is None or end_rank < start_rank):
            raise ValueError("needs a start_rank that is not greater")
        return end_rank


class Set(ToolInput):
    """Arguments of set_distribution."""

    owner_type: Annotated[
        Literal["challenge", "action", "achievement", "leaderboard", "game"], Field(description="What pays out.")
    ]
    owner_id: OwnerId
    prizes: Annotated[
        Sequence[SetPrize],
        Field(min_length=1, description="One; more for leaderboards (per span of ranks) and games."),
    ]

    @field_validator("prizes")
    @classmethod
    def _fitting(cls, prizes: Sequence[SetPrize], info: ValidationInfo) -> Sequence[SetPrize]:
        owner_type = info.data.get("owner_type")
        if owner_type == "leaderboard" and not all(prize.start_rank for prize in prizes):
            raise ValueError("every prize of a leaderboard needs start_rank")
        if owner_type != "leaderboard" and any(prize.start_rank for prize in prizes):
            raise ValueError("start_rank and end_rank are for leaderboards only")
        if owner_type not in _MANY and len(prizes) > 1:
            raise ValueError(f"a {owner_type} has exactly one prize; put all rewards into its allocations")
        return prizes


async def set_distribution(given: Set, api: TenantApi) -> Distribution:
    """What one owner pays out, replaced."""
    operation, placeholder = WRITES[given.owner_type]
    bodies = [_rank(prize) for prize in given.prizes]
    member = _MANY.get(given.owner_type)
    found = await api.call(
        operation, ids={placeholder: given.owner_id}, body=bodies[0] if member is None else {member: bodies}
    )
    return _shape(given.owner_type, given.owner_id, found)


def _rank(prize: SetPrize) -> dict[str, Any]:
    if prize.start_rank is None:
        return prize.body()
    return prize.body() | {"startRank": prize.start_rank, "endRank": prize.end_rank or prize.start_rank}


def _shape(owner_type: str, owner_id: str, found: Any) -> Distribution:
    member = _MANY.get(owner_type)
    prizes = [found] if member is None else found[member]
    return Distribution(
        owner_type=owner_type, owner_id=owner_id, prizes=tuple(Prize.model_validate(prize) for prize in prizes)
    )


GET = Tool(
    name="get_distribution",
    description="Reads the points, XP and reward allocations that something pays. To change them use set_distribution.",
    effect=Effect.READ,
    permissions=(Permission(Verb.READ, Subject.DISTRIBUTION),),
    takes=Get,
    gives=Distribution,
    run=get_distribution,
    toolset="distributions",
    progress=True,
    operations=tuple(_READS.values()),
)
SET = Tool(
    name="set_distribution",
    description=(
        "Sets the points, XP and rewards that something pays. Allocations left out are removed: start from "
        "get_distribution and keep their ids. To hand something to named users, use give_rewards."
    ),
    effect=Effect.CHANGE,
    permissions=(Permission(Verb.UPDATE, Subject.DISTRIBUTION),),
    takes=Set,
    gives=Distribution,
    run=set_distribution,
    toolset="distributions",
    progress=True,
    operations=tuple(operation for operation, _ in WRITES.values()),
)

TOOLS = (GET, SET)
