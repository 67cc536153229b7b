"""The steps of a chain of writes, and what stands when it ends with one of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.api.recognition import CREATIONS
from tools.outcomes import Outcome, Partial
from tools.spec import Operation, ToolOutput


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


class Planned(ToolOutput):
    """A write that a dry run did not make."""

    request: str
    body: dict[str, Any]


NOTHING_LEFT = "nothing is left to be made"


def name_later(kind: str) -> str:
    """What stands for the id of a thing that is not made yet."""
    return f"<id of the new {kind}>"


@dataclass(frozen=True, slots=True)
class Standing:
    """A chain at one of its steps.

    Parameters:
        kind: what the chain creates, as in `delete_<kind>`.
        done: what exists; `roots` are the ids of the things that all else belongs to.
        children: how many creations were made on the last of the roots.
        since: when the chain began, ISO 8601.
        step: the step at hand; `is_root` when it makes a root.
        own: the steps after it that belong to the same root, by `name_later` where that has no id yet.
        later: the tool calls that remain after those.
    """

    kind: str
    done: tuple[Mapping[str, Any], ...]
    roots: tuple[str, ...]
    children: int
    since: str
    step: Step
    is_root: bool
    own: Sequence[Step] = ()
    later: Sequence[ToolCall] = ()

    def account(self, why: str, outcome: Outcome, made: str | None) -> Partial:
        """What is left behind if the chain ends here.

        Parameters:
            why: what ended it.
            outcome, made: what became of the step at hand, and the id of what it made, if that is known.
        """
        stands = outcome is Outcome.MADE and (made is not None or not self.is_root)
        lost = outcome is not Outcome.NOT_MADE and not stands
        again = (self.step.alone,) if outcome is Outcome.NOT_MADE else ()
        return Partial(
            completed=(*self.done, self.describe(made)) if stands else self.done,
            unknown=({"type": self.step.operation.id, "look": self._look},) if lost else (),
            not_made=tuple(call.tool for call in (*again, *(step.alone for step in self.own), *self.later)),
            failed=f"{self.step.operation.id}: {why}",
            finish="; then ".join((*self._finish(outcome, made), *map(str, self.later))) or NOTHING_LEFT,
            undo="; then ".join(self._undo(made, lost=lost)),
        )

    def describe(self, made: str | None) -> Mapping[str, Any]:
        """The step at hand among the things that exist."""
        return {"type": self.kind if self.is_root else self.step.operation.id} | ({"id": made} if made else {})

    @property
    def _look(self) -> str:
        """The tool call that shows whether the step at hand was made."""
        look = CREATIONS.get(self.step.operation)
        if look is None:
            return str(ToolCall(f"get_{self.kind}", {"id": self.roots[-1]}))
        if not self.is_root:
            return str(ToolCall(look.tool, {"owner_id": self.roots[-1], "limit": 1}))
        spoken = {name: said for name, said in self.step.alone.arguments.items() if name == "language"}
        return str(ToolCall(look.tool, {"limit": 100} | spoken))

    @property
    def _sign(self) -> str:
        title = json.dumps(self.step.alone.arguments["title"], ensure_ascii=False)
        return f"the title {title} and was created since {self.since}"

    def _finish(self, outcome: Outcome, made: str | None) -> Iterator[str]:
        """How to go on with this root."""
        own = [str(step.alone).replace(name_later(self.kind), made or name_later(self.kind)) for step in self.own]
        alone = str(self.step.alone)
        match outcome:
            case Outcome.NOT_MADE:
                yield from (alone,) if self.is_root else (alone, *own)
            case Outcome.MADE if made is not None or not self.is_root:
                yield from own
            case Outcome.MADE:
                yield f"look with {self._look} for the one that has {self._sign}"
                yield from (f"with its id, {call}" for call in own)
            case _ if self.is_root:
                yield f"look with {self._look}: if none there has {self._sign}, {alone}"
                yield from (f"if one has, with its id, {call}" for call in own)
            case _ if self.step.operation in CREATIONS:
                yield f"look with {self._look}: only if total_count is {self.children}, {alone}"
                yield from own
            case _:  # it sets a state, and once more changes nothing
                yield from (alone, *own)

    def _undo(self, made: str | None, *, lost: bool) -> Iterator[str]:
        roots = (*self.roots, made) if self.is_root and made is not None else self.roots
        yield from (str(ToolCall(f"delete_{self.kind}", {"id": root})) for root in roots)
        if lost and self.is_root:
            yield f"look with {self._look}: if one there has {self._sign}, delete_{self.kind} with its id"
