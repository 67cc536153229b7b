"""Several writes in a row that look like one: planned before, and accounted for when one of them fails."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from tools.api import operations as op
from tools.refusals import Code, Partial, ToolError
from tools.spec import IdempotentInput, Operation, TenantApi, ToolOutput


class Chaining(IdempotentInput):
    """Base of what chaining tools take."""

    dry_run: Annotated[bool, Field(description="Only plan.")] = False


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call as a hint spells it: `update_challenge {"id": "...", "status": "live"}`."""

    tool: str
    arguments: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.tool} {json.dumps(self.arguments, ensure_ascii=False)}"


@dataclass(frozen=True, slots=True)
class Step:
    """One write, and the tool call that does it alone, for finishing by hand."""

    operation: Operation
    body: Mapping[str, Any]
    alone: ToolCall
    ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def plan(self) -> "Planned":
        """The write as a dry run shows it."""
        path = self.operation.path
        for name, value in self.ids.items():
            path = path.replace(f"{{{name}}}", value)
        return Planned(request=f"{self.operation.method} {path}", body=dict(self.body))


async def check_community(api: TenantApi, community_id: str | None) -> None:
    """For a dry run: the one thing a plan depends on that only the tenant knows.

    Raises:
        ToolError: not_found, when there is no such community.
    """
    if community_id is not None:
        await api.call(op.GET_COMMUNITY, ids={"id": community_id})


class Planned(ToolOutput):
    """A write that a dry run did not make."""

    request: str
    body: dict[str, Any]


class Chain:
    """The writes of one call, in order.

    Parameters:
        kind: what is created, as in `delete_<kind>`.
        total: how many writes there will be, >= 1; for progress.
    """

    def __init__(self, api: TenantApi, kind: str, total: int, language: str | None) -> None:
        self._api = api
        self._kind = kind
        self._total = total
        self._language = language
        self._done: list[Mapping[str, Any]] = []
        self._roots: list[str] = []

    async def create(self, step: Step, later: Sequence[ToolCall] = ()) -> str:
        """Create the thing that later steps build on.

        Parameters:
            later: the tool calls that would remain to be made after this one.

        Returns:
            Its id.

        Raises:
            ToolError: what refused it, or partially_completed when something exists already.
        """
        made = await self._write(step, [step.alone, *later])
        found = made.get("id") if isinstance(made, dict) else None
        if not isinstance(found, str):
            raise ToolError(Code.UPSTREAM_INVALID, f"The API created a {self._kind} without telling its id.")
        self._roots.append(found)
        self._done.append({"type": self._kind, "id": found})
        return found

    async def follow(self, steps: Sequence[Step], later: Sequence[ToolCall] = ()) -> tuple[Any, ...]:
        """Make the writes that build on what exists, and return the API's answers.

        Raises:
            ToolError: partially_completed, with what exists, how to finish and how to undo.
        """
        answers = []
        for index, step in enumerate(steps):
            answer = await self._write(step, [*(one.alone for one in steps[index:]), *later])
            made = {"id": answer["id"]} if isinstance(answer, dict) and "id" in answer else {}
            self._done.append({"type": step.operation.id} | made)
            answers.append(answer)
        return tuple(answers)

    async def _write(self, step: Step, remaining: Sequence[ToolCall]) -> Any:
        await self._api.report(len(self._done), self._total, step.alone.tool)
        try:
            return await self._api.call(step.operation, ids=step.ids, body=step.body, language=self._language)
        except ToolError as refusal:
            if not self._done:
                raise
            raise self._half_done(refusal, step, remaining) from refusal

    def _half_done(self, refusal: ToolError, step: Step, remaining: Sequence[ToolCall]) -> ToolError:
        return ToolError(
            Code.PARTIALLY_COMPLETED,
            f"{len(self._done)} of {self._total} writes were made, then {step.operation.id} failed: {refusal.code}.",
            "Finish or undo with the calls in partial; calling this tool again would create everything twice.",
            retry_after_s=refusal.retry_after_s,
            fields=refusal.fields,
            partial=Partial(
                completed=tuple(self._done),
                failed=f"{step.operation.id}: {refusal.code}: {refusal.message}",
                finish="; then ".join(str(call) for call in remaining),
                undo="; then ".join(str(ToolCall(f"delete_{self._kind}", {"id": root})) for root in self._roots),
            ),
            upstream=refusal.upstream,
        )
