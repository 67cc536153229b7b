"""The embedded tenant behind the port a tool talks to, and the same tenant on a day when one request fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.http.port import HttpResponse
from server.pipeline import validation
from server.upstream import responses
from tests.support.sandbox_client import Tenants
from tools import CATALOGUE
from tools.refusals import Code, ToolError
from tools.spec import Account, Caller, Operation, Tool

TOOLS: Mapping[str, Tool] = {tool.name: tool for tool in CATALOGUE}


@dataclass
class Reach:
    """A TenantApi over the sandbox's own ASGI app, as the admin of acme.

    Parameters:
        broken: operationId -> how many of its calls work before one is refused.
    """

    tenants: Tenants = field(default_factory=Tenants)
    broken: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def caller(self) -> Caller:
        """The admin of acme."""
        return Caller(
            subject="admin",
            organisation=self.tenants.sandbox.organisations["acme"].id,
            api_domain=self.tenants.sandbox.organisations["acme"].api_domain,
            roles=("admin",),
            credential="bearer",
            mode="builder",
            expires_at=4102444800,
            permissions=("can-read:subject-Organisation",),
        )

    @property
    def community_id(self) -> str:
        """A community of acme."""
        return str(self.tenants.tokens["acme"]["community_id"])

    async def call(
        self,
        operation: Operation,
        *,
        ids: Mapping[str, str] = {},
        query: Mapping[str, str | int | bool | None] = {},
        body: Any = None,
        language: str | None = None,
    ) -> Any:
        """One request; the first one over the allowance of a broken operation is refused as the way out would."""
        self.asked.append(operation.id)
        if self.asked.count(operation.id) > self.broken.get(operation.id, 1_000):
            raise ToolError(Code.UPSTREAM_UNAVAILABLE, "The tenant's API cannot be reached.")
        path = operation.path.format(**ids)
        said = "&".join(f"{name}={value}" for name, value in query.items() if value is not None)
        answer = await self.tenants.ask(
            operation.method,
            f"{path}?{said}" if said else path,
            body,
            headers={} if language is None else {"x-language": language},
        )
        answered = HttpResponse(answer.status_code, dict(answer.headers), answer.content)
        return responses.read_value(answered, operation, self.tenants.sandbox.organisations["acme"].id)

    async def report(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Nobody asked for progress."""

    async def note(self, account: Account) -> None:
        """Nobody asks later."""

    async def use(self, name: str, /, **said: Any) -> dict[str, Any]:
        """Call a tool as the spine does: arguments validated, answer as plain JSON."""
        tool = TOOLS[name]
        answer = await tool.run(validation.validate(tool, said), self)
        return answer.model_dump(mode="json", exclude_none=True)

    async def refused(self, name: str, /, **said: Any) -> ToolError:
        """The refusal of a call that must not succeed."""
        try:
            answer = await self.use(name, **said)
        except ToolError as refusal:
            return refusal
        raise AssertionError(f"{name} answered {answer}")
