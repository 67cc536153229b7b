"""Rewards leave the stock in two ways besides being earned: handed out by hand, and drawn in a giveaway."""

from server.sandbox import crud
from server.sandbox.entities import COMMUNITY, REWARD, USER
from server.sandbox.faults import Fault
from server.sandbox.operation_call import OperationCall, format_now, new_id
from server.sandbox.store import Body


def create_reward(call: OperationCall) -> Body:
    """A new reward; its allocations get ids."""
    call.check_references(call.body)
    allocations = [_allocation(each) for each in call.body.get("allocations", [])]
    return call.show(REWARD, crud.create(call, REWARD, {**call.body, "allocations": allocations}))


def update_reward(call: OperationCall) -> Body:
    """A reward changed; allocations without id are new, those left out are gone."""
    if "allocations" not in call.body:
        return crud.updating(REWARD)(call)
    known = {each["id"]: each for each in call.find_to_change(REWARD, call.ids["id"])["allocations"]}
    call.body["allocations"] = [
        {**_allocation(known.get(each.get("id", ""), {})), **each} if each.get("id") in known else _allocation(each)
        for each in call.body["allocations"]
    ]
    return crud.updating(REWARD)(call)


def distribute_by_hand(call: OperationCall) -> Body:
    """Points, XP and rewards for named people; people who do not exist are reported, the others get theirs."""
    given = call.body
    community = call.find_to_change(COMMUNITY, given["communityId"])
    call.check_references(given)
    people = {key: call.store.find(call.organisation, USER.kind, key) for key in given["userIds"]}
    found = [person for person in people.values() if person is not None and _belongs(call, person)]
    rewards = given["rewards"]
    picked = rewards if given["distributionMechanism"] == "all" else rewards[: int(given["amountToDistribute"])]
    for index, each in enumerate(picked):
        _take(call, each["rewardId"], int(each.get("quantity", 1)) * len(found), f"body.rewards.{index}.quantity")
    for person in found:
        call.save(USER, _credit(person, community["id"], given["pointsToDistribute"], given["xpToDistribute"]))
    return {
        "success": len(found) == len(people),
        "message": f"{len(found)} of {len(people)} people received theirs.",
        "usersProcessed": len(found),
        "failedUserIds": sorted(people.keys() - {person["id"] for person in found}),
    }


def process_giveaway(call: OperationCall) -> Body:
    """Name the winners of a reward that is given away by hand; once."""
    reward = call.find_to_change(REWARD, call.ids["id"])
    if not reward.get("isManualGiveaway"):
        raise Fault(400, "path.id: This reward is not a manual giveaway")
    if reward.get("_drawn"):
        raise Fault(409, "The winners of this giveaway were named already.")
    for winner in call.body["winners"]:
        call.find(USER, winner["userId"])
    total = sum(int(winner.get("quantity", 1)) for winner in call.body["winners"])
    _take(call, reward["id"], total, "body.winners")
    taken = call.find_to_change(REWARD, reward["id"])
    call.save(REWARD, {**taken, "_drawn": True, "status": "expired", "updatedAt": format_now()})
    return {"success": True, "message": f"{len(call.body['winners'])} winners were named."}


def _allocation(given: Body) -> Body:
    defaults = {"allocationType": "assets", "distributed": 0, "isShop": False, "isLive": True}
    return {**defaults, **given, "id": given.get("id") or new_id()}


def _belongs(call: OperationCall, person: Body) -> bool:
    return call.scope is None or not call.scope.isdisjoint(USER.communities(person))


def _take(call: OperationCall, key: str, quantity: int, name: str) -> None:
    """Take rewards out of the stock, first allocation first."""
    reward = call.find_to_change(REWARD, key)
    left = [each.get("supply", 0) - each.get("distributed", 0) for each in reward["allocations"]]
    if quantity > sum(left):
        raise Fault(400, f"{name}: Only {sum(left):g} left")
    for each, available in zip(reward["allocations"], left, strict=True):
        taken = min(quantity, available)
        each["distributed"] = each.get("distributed", 0) + taken
        quantity -= taken
    call.save(REWARD, reward)


def _credit(person: Body, community: str, points: int, xp: int) -> Body:
    data = [
        {
            **each,
            "points": each.get("points", 0) + points,
            "xp": {**each.get("xp", {}), "total": each.get("xp", {}).get("total", 0) + xp},
        }
        if each["communityId"] == community
        else each
        for each in person["communityData"]
    ]
    total = {**person["xp"], "total": person["xp"].get("total", 0) + xp}
    return {
        **person,
        "points": person["points"] + points,
        "xp": total,
        "communityData": data,
        "updatedAt": format_now(),
    }
