"""A tenant's API for tests of tools alone: it answers from the API document and takes only what the document knows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator

from tests.support.schema_samples import COMPONENTS, HEX, document, sample
from tools.api.operations import OPERATIONS
from tools.spec import Account, Caller, Operation

CALLER = Caller(
    subject="user-1",
    organisation=HEX,
    api_domain="https://space.nudj.cx/api/v2/admin",
    roles=("admin",),
    credential="bearer",
    mode="builder",
    expires_at=4102444800,
    permissions=("can-read:subject-Tag",),
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request a tool made."""

    operation: Operation
    ids: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    language: str | None


Answers = Mapping[str, Any | Callable[[Call], Any]]


@dataclass
class Port:
    """A TenantApi that keeps every request and checks it against the API document.

    Parameters:
        answers: operationId -> the JSON to answer, or a function of the call, or an exception to raise; every other
            operation answers with a sample of its documented response.
        allowed: the operations a tool declares.
        planted: put into every object of a sample under a name no document knows.
    """

    answers: Answers = field(default_factory=dict)
    allowed: Sequence[Operation] = OPERATIONS
    planted: str | None = None
    calls: list[Call] = field(default_factory=list)
    reports: list[tuple[float, float | None, str | None]] = field(default_factory=list)
    caller: Caller = CALLER

    async def call(
        self,
        operation: Operation,
        *,
        ids: Mapping[str, str] = {},
        query: Mapping[str, str | int | bool | None] = {},
        body: Any = None,
        language: str | None = None,
    ) -> Any:
        """Answer one request, or fail the test when the tool may not or the tenant could not take it."""
        assert operation in self.allowed, f"{operation.id} is not declared"
        made = Call(operation, ids, {name: value for name, value in query.items() if value is not None}, body, language)
        if self.planted is None:  # what was planted may be sent back to where it came from
            _conforms(made)
        self.calls.append(made)
        answer = self.answers.get(operation.id, self)
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer(made)
        return _sampled(made, self.planted) if answer is self else answer

    async def report(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Keep what was reported."""
        self.reports.append((done, total, message))

    async def note(self, account: Account) -> None:
        """Nobody asks later."""

    def made(self, operation: Operation) -> list[Call]:
        """The requests of one operation."""
        return [call for call in self.calls if call.operation == operation]


def _conforms(made: Call) -> None:
    described = document(made.operation)
    parameters = described["parameters"]
    assert set(made.ids) == {one["name"] for one in parameters if one["in"] == "path"}, made
    assert set(made.query) <= {one["name"] for one in parameters if one["in"] == "query"}, made
    wanted = described.get("requestBody")
    assert (made.body is None) == (wanted is None), f"{made.operation.id}: body"
    if wanted is not None:
        schema = wanted["content"]["application/json"]["schema"] | COMPONENTS
        wrong = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(made.body)]
        assert not wrong, f"{made.operation.id}: {wrong}"
        _named(schema, made.body, made.operation.id)


def _named(schema: Mapping[str, Any], body: Any, where: str) -> None:
    """The document leaves objects open, so a misspelt member would pass: names are checked here."""
    known = document.resolve(schema)
    if isinstance(body, dict) and "properties" in known:
        strange = set(body) - set(known["properties"])
        assert not strange, f"{where}: {strange}"
        for name, value in body.items():
            _named(known["properties"][name], value, f"{where}.{name}")
    if isinstance(body, list) and "items" in known:
        for value in body:
            _named(known["items"], value, f"{where}[]")


def _sampled(made: Call, planted: str | None) -> Any:
    schema = document(made.operation)["responses"]["200"]["content"]["application/json"]["schema"]
    answer = sample(schema, planted)
    asked = made.query.get("userId")
    return answer | {"userId": asked} if asked else answer
