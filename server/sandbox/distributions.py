"""What completing something gives: points, XP and rewards picked from allocations."""

from collections.abc import Callable
from typing import Any

from server.sandbox.entities import GAME, LEADERBOARD, Entity
from server.sandbox.faults import Fault
from server.sandbox.operation_call import OperationCall, new_id
from server.sandbox.store import Body

_KIND = "distribution"
_EMPTY: Body = {
    "pointsToDistribute": 0,
    "bonusXpToDistribute": 0,
    "rewardsConfig": {"mechanism": "all", "amountToDistribute": 0, "allocations": []},
}


def reading(entity: Entity) -> Callable[[OperationCall], Body]:
    """Answer with the distribution of a challenge, an action or an achievement."""

    def handle(call: OperationCall) -> Body:
        owner = call.find(entity, call.ids["id"])
        return {**(_read_kept(call, owner["id"]) or _EMPTY), f"{entity.kind}Id": owner["id"]}

    return handle


def assigning(entity: Entity) -> Callable[[OperationCall], Body]:
    """Replace it: allocations without id are new, those with one are changed, those left out are gone."""

    def handle(call: OperationCall) -> Body:
        owner = call.find_to_change(entity, call.ids["id"])
        call.check_references(call.body)
        before = _read_kept(call, owner["id"]) or _EMPTY
        given = _assign(call.body, before, "body")
        _keep(call, owner["id"], given)
        call.save(entity, {**owner, "rewardDistribution": _summarise(given)})
        return {**given, f"{entity.kind}Id": owner["id"]}

    return handle


def read_leaderboard(call: OperationCall) -> Body:
    """A leaderboard's prizes by rank."""
    owner = call.find(LEADERBOARD, call.ids["leaderboardConfigId"])
    kept = _read_kept(call, owner["id"]) or {"rewards": []}
    return {"leaderboardConfigId": owner["id"], "rewards": kept["rewards"]}


def assign_leaderboard(call: OperationCall) -> Body:
    """Replace them; ranks must not overlap."""
    owner = call.find_to_change(LEADERBOARD, call.ids["leaderboardConfigId"])
    call.check_references(call.body)
    _check_ranks(call.body["rewards"])
    before = [
        allocation
        for prize in (_read_kept(call, owner["id"]) or {"rewards": []})["rewards"]
        for allocation in _allocations(prize)
    ]
    rewards = [
        {**each, **_assign(each, {"rewardsConfig": {"allocations": before}}, f"body.rewards.{index}")}
        for index, each in enumerate(call.body["rewards"])
    ]
    _keep(call, owner["id"], {"rewards": rewards})
    ranks = [
        {
            "startRank": each.get("startRank", 1),
            "endRank": each.get("endRank", each.get("startRank", 1)),
            "distributionEventId": new_id(),
        }
        for each in rewards
    ]
    call.save(LEADERBOARD, {**owner, "rewardsConfig": ranks})
    return {"leaderboardConfigId": owner["id"], "rewards": rewards}


def assign_game(call: OperationCall) -> Body:
    """Replace a game's prizes."""
    owner = call.find_to_change(GAME, call.ids["gameConfigId"])
    call.check_references(call.body)
    made = [
        {"id": new_id(), **_assign(each, _EMPTY, f"body.distributions.{index}")}
        for index, each in enumerate(call.body["distributions"])
    ]
    call.save(GAME, {**owner, "distributions": made})
    return {"gameConfigId": owner["id"], "distributions": made}


def _assign(given: Body, before: Body, name: str) -> Body:
    config: Body = given.get("rewardsConfig") or {}
    known = {each["id"]: each for each in _allocations(before)}
    allocations = []
    for index, each in enumerate(config.get("allocations", [])):
        key = each.get("id")
        if key is not None and key not in known:
            raise Fault(
                400, f"{name}.rewardsConfig.allocations.{index}.id: No such allocation; leave it out for a new one"
            )
        fresh: Body = {"id": new_id(), "distributed": 0, "isLive": True, "allocationType": "assets"}
        base = fresh if key is None else known[key]
        allocations.append({**base, **{member: value for member, value in each.items() if member != "id"}})
    return {
        "pointsToDistribute": given.get("pointsToDistribute", 0),
        "bonusXpToDistribute": given.get("bonusXpToDistribute", 0),
        "rewardsConfig": {**_EMPTY["rewardsConfig"], **config, "allocations": allocations},
    }


def _summarise(given: Body) -> Body:
    return {
        "points": given["pointsToDistribute"],
        "xp": given["bonusXpToDistribute"],
        "rewardSelectionMethod": given["rewardsConfig"]["mechanism"],
        "numberOfRewardsToReceive": given["rewardsConfig"]["amountToDistribute"],
        "rewardAllocations": [
            {
                "rewardId": each["rewardId"],
                "allocationId": each["id"],
                "allocationType": each["allocationType"],
                "amountToDistribute": each.get("amountToDistribute", 1),
            }
            for each in _allocations(given)
            if "rewardId" in each
        ],
    }


def _check_ranks(rewards: list[Body]) -> None:
    last: Any = 0
    for index, each in sorted(enumerate(rewards), key=lambda pair: pair[1].get("startRank", 1)):
        first = each.get("startRank", 1)
        end = each.get("endRank", first)
        if end < first:
            raise Fault(400, f"body.rewards.{index}.endRank: Must not be below startRank")
        if first <= last:
            raise Fault(400, f"body.rewards.{index}.startRank: Overlaps the prize before it")
        last = end


def _allocations(distribution: Body) -> list[Body]:
    found: list[Body] = distribution.get("rewardsConfig", {}).get("allocations", [])
    return found


def _read_kept(call: OperationCall, owner: str) -> Body | None:
    kept = call.store.find(call.organisation, _KIND, owner)
    return None if kept is None else {name: value for name, value in kept.items() if name != "id"}


def _keep(call: OperationCall, owner: str, value: dict[str, Any]) -> None:
    call.store.put(call.organisation, _KIND, {**value, "id": owner}, [])
