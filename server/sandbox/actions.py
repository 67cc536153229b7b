"""Actions hang on a challenge or an achievement, which keeps their order and their number."""

from server.sandbox import crud
from server.sandbox.entities import ACHIEVEMENT, ACTION, CHALLENGE, Entity
from server.sandbox.faults import Fault
from server.sandbox.operation_call import OperationCall
from server.sandbox.store import Body, Wanted

_OWNERS = {"challenge": CHALLENGE, "achievement": ACHIEVEMENT}


def create_action(call: OperationCall) -> Body:
    """A new action, last in its owner's order."""
    owner = _find_owner(call, call.body["allocatedTo"], call.body["allocationId"])
    if owner.get("communityId") not in (None, call.body["communityId"]):
        raise Fault(400, f"body.communityId: Not the community of that {call.body['allocatedTo']}")
    call.check_references(call.body)
    before = _list_of(call, owner["id"])
    action = crud.create(call, ACTION, {**call.body, "allocationId": owner["id"], "position": len(before)})
    _count(call, action, [each["id"] for each in before] + [action["id"]])
    return call.show(ACTION, action)


def delete_action(call: OperationCall) -> Body:
    """One action less; the others close ranks."""
    action = call.find_to_change(ACTION, call.ids["id"])
    answer = crud.deleting(ACTION)(call)
    _find_place(call, [each for each in _list_of(call, action["allocationId"]) if each["id"] != action["id"]])
    _count(call, action, [each["id"] for each in _list_of(call, action["allocationId"])])
    return answer


def reorder_actions(call: OperationCall) -> list[Body]:
    """All actions of one owner in the order given; a list that is not exactly those is refused."""
    wanted: list[str] = call.body["actionIds"]
    actions = {each["id"]: each for each in _list_of(call, call.body["allocationId"])}
    if not actions:
        raise Fault(404, f"There is nothing with actions under {call.body['allocationId'][:40]}.")
    if sorted(wanted) != sorted(actions):
        raise Fault(400, "body.actionIds: Must hold every action of the allocation exactly once")
    ordered = [call.find_to_change(ACTION, key) for key in wanted]
    _find_place(call, ordered)
    _count(call, ordered[0], wanted)
    return [call.show(ACTION, call.find(ACTION, key)) for key in wanted]


def _find_owner(call: OperationCall, kind: str, key: str) -> Body:
    if kind not in _OWNERS:
        raise Fault(400, "body.allocatedTo: Invalid enum value. Expected 'achievement' | 'challenge'")
    return call.find_to_change(_OWNERS[kind], key)


def _list_of(call: OperationCall, owner: str) -> list[Body]:
    wanted = Wanted(where={"$.allocationId": owner}, sort="position", limit=-1, communities=call.scope)
    return call.store.page(call.organisation, ACTION.kind, wanted)[1]


def _find_place(call: OperationCall, actions: list[Body]) -> None:
    for position, action in enumerate(actions):
        call.save(ACTION, {**action, "position": position})


def _count(call: OperationCall, action: Body, ids: list[str]) -> None:
    owner: Entity = _OWNERS[action["allocatedTo"]]
    if owner is CHALLENGE:
        body = call.find_to_change(owner, action["allocationId"])
        call.save(owner, {**body, "actionIds": ids, "numberOfActions": len(ids)})
