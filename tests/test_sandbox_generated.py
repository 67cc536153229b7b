"""Requests nobody thought of: generated from the document, good and bad, against the tenant that serves it."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from server.sandbox.sandbox import Sandbox
from tests.tenants import PORT, Tenants

KINDS = {"game-configs": "game", "games": "game", "leaderboards": "leaderboard", "communities": "community"}

tenants = Tenants(Sandbox(port=PORT))
host = f"acme.localhost:{PORT}"
schema = schemathesis.openapi.from_asgi("/api/v2/admin/openapi.json", tenants.sandbox.app, headers={"host": host})


def known_id(path: str) -> str | None:
    """The id of an entity that exists, for a path that wants one; so that not every answer is 404."""
    word = path.split("/")[1]
    kind = KINDS.get(word, word.removesuffix("s").replace("-", " "))
    row = tenants.sandbox._store.sql.execute(
        "SELECT id FROM entity WHERE organisation = ? AND kind = ? ORDER BY created DESC",
        (tenants.sandbox.organisations["acme"].id, kind),
    ).fetchone()
    return None if row is None else str(row[0])


@schemathesis.hook
def map_path_parameters(context: Any, parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Put a known id where a valid one was generated."""
    if not parameters or "tokenId" in parameters:
        return parameters
    known = known_id(context.operation.path)
    return parameters if known is None else dict.fromkeys(parameters, known)


@schema.parametrize()
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_no_generated_request_gets_an_answer_the_document_does_not_describe(case: Case[Any]) -> None:
    token = tenants.tokens["acme"]["tokens"]["admin"]
    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
    case.call_and_validate(checks=checks, headers={"host": host, "authorization": f"Bearer {token}"})
