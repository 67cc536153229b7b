"""Several writes in a row that look like one: planned before, and accounted for when one of them fails."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from tools.api import operations as op
from tools.api.recognition import CREATIONS
from tools.outcomes import Outcome
from tools.refusals import Code, ToolError
from tools.shared.steps import Standing, Step, ToolCall
from tools.spec import IdempotentInput, TenantApi

_LOOK_AFTER_S = 30.0
"""A tenant that was given up may still be at it; whoever looks sooner may look too soon."""

_ENDS = {
    Outcome.NOT_MADE: "failed",
    Outcome.MADE: "was made, but the answer to it cannot be used",
    Outcome.UNKNOWN: "may or may not have been made",
}


class Chaining(IdempotentInput):
    """Base of what chaining tools take."""

    dry_run: Annotated[bool, Field(description="Only plan.")] = False


async def check_community(api: TenantApi, community_id: str | None) -> None:
    """For a dry run: the one thing a plan depends on that only the tenant knows.

    Raises:
        ToolError: not_found, when there is no such community.
    """
    if community_id is not None:
        await api.call(op.GET_COMMUNITY, ids={"id": community_id})


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
        self._children = 0
        self._since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    async def create(self, step: Step, own: Sequence[Step], later: Sequence[ToolCall] = ()) -> str:
        """Create the thing that later steps build on.

        Parameters:
            own: the steps that build on it, with `name_later` for its id; `step.alone` includes them.
            later: the tool calls that would remain to be made after those.

        Returns:
            Its id.

        Raises:
            ToolError: what refused it, or partially_completed when something exists already or may.
        """
        here = self._stand(step, own, later, is_root=True)
        made = await self._write(here)
        found = made.get("id") if isinstance(made, dict) else None
        if not isinstance(found, str):
            raise self._break_off(here, ToolError(Code.UPSTREAM_INVALID, "The answer has no id.", outcome=Outcome.MADE))
        self._roots.append(found)
        self._children = 0
        self._done.append(here.describe(found))
        return found

    async def follow(self, steps: Sequence[Step], later: Sequence[ToolCall] = ()) -> tuple[Any, ...]:
        """Make the writes that build on what exists, and return the API's answers.

        Raises:
            ToolError: partially_completed, with what exists, how to finish and how to undo.
        """
        answers = []
        for index, step in enumerate(steps, 1):
            here = self._stand(step, steps[index:], later)
            answer = await self._write(here)
            self._done.append(here.describe(answer.get("id") if isinstance(answer, dict) else None))
            self._children += step.operation in CREATIONS
            answers.append(answer)
        return tuple(answers)

    def _stand(self, step: Step, own: Sequence[Step], later: Sequence[ToolCall], *, is_root: bool = False) -> Standing:
        done, roots = tuple(self._done), tuple(self._roots)
        return Standing(self._kind, done, roots, self._children, self._since, step, is_root, own, later)

    async def _write(self, here: Standing) -> Any:
        step = here.step
        await self._api.report(len(self._done), self._total, step.alone.tool)
        try:
            await self._api.note(partial(here.account, "the call ended"))
            return await self._api.call(step.operation, ids=step.ids, body=step.body, language=self._language)
        except ToolError as refusal:
            if not self._done and refusal.outcome is Outcome.NOT_MADE:
                raise
            raise self._break_off(here, refusal) from refusal

    def _break_off(self, here: Standing, refusal: ToolError) -> ToolError:
        left = here.account(f"{refusal.code}: {refusal.message}", refusal.outcome, None)
        if refusal.reason == "in_flight":
            left = replace(left, finish="none: another call with this request_key makes all of it")
        end = f"then {here.step.operation.id} {_ENDS[refusal.outcome]}: {refusal.code}."
        wait = refusal.retry_after_s or (_LOOK_AFTER_S if refusal.outcome is Outcome.UNKNOWN else None)
        return ToolError(
            Code.PARTIALLY_COMPLETED,
            f"{len(self._done)} of {self._total} writes were made, {end}",
            "Finish or undo with the calls in partial; calling this tool again would create everything twice.",
            retry_after_s=wait,
            fields=refusal.fields,
            partial=left,
            upstream=refusal.upstream,
            outcome=refusal.outcome,
        )
