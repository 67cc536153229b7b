"""The five things most operations do to an entity: list, create, read, update, delete."""

from collections.abc import Callable, Mapping

from server.sandbox.entities import ACHIEVEMENT, ACTION, CHALLENGE, CHALLENGE_GROUP, COMMUNITY, POST, REWARD, Entity
from server.sandbox.operation_call import Endpoint, Handler, OperationCall, format_now, new_id
from server.sandbox.roles import CREATE, DELETE, READ, UPDATE
from server.sandbox.store import Body, Wanted, merge
from tools.spec import Permission, Subject, Verb

_LIVE_IN_COMMUNITIES = (CHALLENGE, CHALLENGE_GROUP, ACTION, ACHIEVEMENT, REWARD, POST)
_NO_FILTERS = ("limit", "skip", "sort", "search", "fromDate", "toDate", "communityId")


def listing(entity: Entity, *, templates: bool = False) -> Callable[[OperationCall], Body]:
    """Answer with a page; of templates, those open to the organisation."""

    def handle(call: OperationCall) -> Body:
        query = call.query
        where = {f"$.{name}": value for name, value in query.items() if name not in _NO_FILTERS}
        if templates:
            where["$.isGlobalTemplate"] = True
        total, found = call.store.page(
            call.organisation,
            entity.kind,
            Wanted(
                limit=query.get("limit", 10),
                skip=query.get("skip", 0),
                sort=query.get("sort"),
                search=query.get("search"),
                texts=entity.searched,
                where=where,
                community=query.get("communityId"),
                since=query.get("fromDate"),
                until=query.get("toDate"),
                communities=call.scope,
                shared=entity.shared,
                several=entity.several,
            ),
            call.language,
        )
        return {"totalCount": total, "edges": [call.show(entity, body) for body in found]}

    return handle


def reading(entity: Entity) -> Callable[[OperationCall], Body]:
    """Answer with one entity."""

    def handle(call: OperationCall) -> Body:
        return call.show(entity, call.find(entity, call.ids["id"]))

    return handle


def creating(entity: Entity) -> Callable[[OperationCall], Body]:
    """Make a new entity of the request and the kind's defaults."""

    def handle(call: OperationCall) -> Body:
        call.check_references(call.body)
        return call.show(entity, create(call, entity, call.body))

    return handle


def create(call: OperationCall, entity: Entity, given: Body) -> Body:
    """Write a new entity; in another language than the organisation's, its texts count for both."""
    moment = format_now()
    by = {"createdBy": author(call), "updatedBy": author(call)} if entity.stamped else {}
    body = {
        **entity.defaults,
        **given,
        "id": new_id(),
        "organisationId": call.organisation,
        "createdAt": moment,
        "updatedAt": moment,
        **by,
    }
    call.refuse_shared(entity.communities(body) if entity is not COMMUNITY else [])
    call.save(entity, body)
    if call.language:
        call.store.translate(call.organisation, entity.kind, body["id"], call.language, _texts(entity, given))
    return body


def updating(entity: Entity) -> Callable[[OperationCall], Body]:
    """Change the members a request names; with x-language, only that language's texts."""

    def handle(call: OperationCall) -> Body:
        body = call.find_to_change(entity, call.ids["id"])
        call.check_references(call.body)
        texts = _texts(entity, call.body) if call.language else {}
        changed = {**merge(body, {k: v for k, v in call.body.items() if k not in texts}), "updatedAt": format_now()}
        if entity.stamped:
            changed["updatedBy"] = author(call)
        call.refuse_shared(entity.communities(changed))
        call.save(entity, changed)
        if call.language and texts:
            call.store.translate(call.organisation, entity.kind, body["id"], call.language, texts)
        return call.show(entity, call.find(entity, body["id"]))

    return handle


def deleting(entity: Entity) -> Callable[[OperationCall], Body]:
    """Remove an entity with everything that cannot live without it."""

    def handle(call: OperationCall) -> Body:
        body = call.find_to_change(entity, call.ids["id"])
        call.store.delete(call.organisation, entity.kind, body["id"])
        call.store.delete(call.organisation, "distribution", body["id"])
        if entity is COMMUNITY:
            _delete_all(call, Wanted(community=body["id"], limit=-1), *_LIVE_IN_COMMUNITIES)
        if entity in (CHALLENGE, ACHIEVEMENT):
            _delete_all(call, Wanted(where={"$.allocationId": body["id"]}, limit=-1), ACTION)
        return {"success": True, "message": f"The {entity.kind} was deleted."}

    return handle


_DEEDS: Mapping[str, tuple[Verb, Callable[[Entity], Handler]]] = {
    "lists": (READ, listing),
    "creates": (CREATE, creating),
    "reads": (READ, reading),
    "updates": (UPDATE, updating),
    "deletes": (DELETE, deleting),
}


def crud(entity: Entity, subject: Subject, **operations: str) -> dict[str, Endpoint]:
    """The endpoints of an entity: operation ids by what they do (lists, creates, reads, updates, deletes)."""
    return {
        operation: endpoint(_DEEDS[deed][0], subject, _DEEDS[deed][1](entity)) for deed, operation in operations.items()
    }


def endpoint(verb: Verb, subject: Subject, handler: Handler) -> Endpoint:
    """An endpoint that takes one permission."""
    return Endpoint(Permission(verb, subject), handler)


def author(call: OperationCall) -> str:
    """The caller as createdBy names people: a 24-hex id."""
    subject = call.caller.subject
    return subject if len(subject) == 24 else call.organisation


def _texts(entity: Entity, given: Body) -> Body:
    return {name: value for name, value in given.items() if name in entity.texts}


def _delete_all(call: OperationCall, wanted: Wanted, *entities: Entity) -> None:
    for entity in entities:
        for body in call.store.page(call.organisation, entity.kind, wanted)[1]:
            call.store.delete(call.organisation, entity.kind, body["id"])
