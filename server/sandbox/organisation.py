"""What an organisation has exactly one of: itself, its theme, its domains, its webhooks, its say over tokens."""

import re
import sqlite3

from server.sandbox import crud
from server.sandbox.entities import ORGANISATION
from server.sandbox.faults import Fault
from server.sandbox.operation_call import OperationCall, format_now, new_id
from server.sandbox.store import Body, merge

_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


def create_organisation(call: OperationCall) -> Body:
    """Another organisation, empty, which only its own tokens will reach."""
    call.refuse_shared([])
    key, author = new_id(), crud.author(call)
    try:
        call.store.sql.execute("INSERT INTO organisation VALUES (?, ?)", (key, call.body["slug"]))
    except sqlite3.IntegrityError:
        raise Fault(409, f"The slug {call.body['slug']!r} is taken.") from None
    own = {name: call.body[name] for name in ("name", "language", "timezone", "location")}
    body = {**own, "id": key, "createdBy": author, "updatedBy": author, "createdAt": format_now()}
    call.store.put(key, ORGANISATION.kind, body, [])
    return call.show(ORGANISATION, body)


def read_theme(call: OperationCall) -> Body:
    """Colours, fonts and logos."""
    return _one(call, "theme")


def update_theme(call: OperationCall) -> Body:
    """Change the members named, at any depth."""
    call.refuse_shared([])
    return _keep(call, "theme", merge(_one(call, "theme"), call.body))


def read_domains(call: OperationCall) -> Body:
    """Where the organisation answers."""
    return _one(call, "domains")


def add_domain(call: OperationCall) -> Body:
    """Take in a custom domain, and say which DNS record proves that it is theirs."""
    call.refuse_shared([])
    domain = call.body["domain"].lower()
    if not _DOMAIN.fullmatch(domain):
        raise Fault(400, "body.domain: Must be a host name such as play.example.com")
    domains = _one(call, "domains")
    if domain in domains["customDomains"]:
        raise Fault(409, "The domain was added already.")
    _keep(call, "domains", {**domains, "customDomains": [*domains["customDomains"], domain]})
    record = {
        "type": "TXT",
        "domain": f"_nudj.{domain}",
        "value": f"nudj-verify={call.organisation}",
        "reason": "pending",
    }
    return {
        "success": True,
        "code": 200,
        "message": "Add the record, then wait for verification.",
        "data": {"verified": False, "verification": [record]},
    }


def remove_domain(call: OperationCall) -> Body:
    """Let a custom domain go."""
    call.refuse_shared([])
    domains = _one(call, "domains")
    domain = call.body["domain"].lower()
    if domain not in domains["customDomains"]:
        raise Fault(404, "There is no such custom domain.")
    return _keep(
        call, "domains", {**domains, "customDomains": [each for each in domains["customDomains"] if each != domain]}
    )


def read_webhooks(call: OperationCall) -> Body:
    """Which events go where."""
    return _one(call, "webhooks")


def put_webhooks(call: OperationCall) -> Body:
    """Replace all of them."""
    call.refuse_shared([])
    configs = [{"isEnabled": True, "httpMethod": "POST", "maxRetries": 3, **each} for each in call.body["configs"]]
    return _keep(call, "webhooks", {"configs": configs})


def revoke_token(call: OperationCall) -> Body:
    """End a token of this organisation, now."""
    call.refuse_shared([])
    call.tokens.revoke(call.ids["tokenId"], organisation=call.organisation)
    return {"success": True, "message": "The token was revoked."}


def _one(call: OperationCall, kind: str) -> Body:
    kept = call.store.find(call.organisation, kind, call.organisation) or {}
    return {name: value for name, value in kept.items() if name != "id"}


def _keep(call: OperationCall, kind: str, value: Body) -> Body:
    call.store.put(call.organisation, kind, {**value, "id": call.organisation}, [])
    return value
