"""What tools send and give back, driven with whatever arguments their schemas allow."""

import anyio
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from server import wire
from tests.generated import arguments
from tests.ports import Port
from tools import CATALOGUE
from tools.refusals import Refusal
from tools.spec import Tool

EVERY = pytest.mark.parametrize("tool", CATALOGUE, ids=lambda tool: tool.name)
SOME = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    phases=(Phase.generate,),  # shrinking an argument object takes minutes and shows little more
    suppress_health_check=list(HealthCheck),
)
TO_ALL = {"processManualDistribution": {"success": True, "usersProcessed": 1, "failedUserIds": []}}
"""A sample names somebody who got nothing, which is a refusal; here everybody gets theirs."""
PLANTED = "sk-planted-0123456789"


@EVERY
def test_a_tool_makes_exactly_the_requests_it_declares_as_the_document_wants_them(tool: Tool) -> None:
    emitted: set[str] = set()

    @SOME
    @given(arguments(tool))
    def drive(said: dict[str, object]) -> None:
        try:
            taken = tool.takes.model_validate(said)
        except (ValidationError, Refusal):
            assume(False)
        port = Port(TO_ALL, tool.operations)
        anyio.run(tool.run, taken, port)
        emitted.update(call.operation.id for call in port.calls)

    drive()
    assert emitted == {operation.id for operation in tool.operations}


@EVERY
def test_nothing_the_answer_does_not_name_comes_out(tool: Tool) -> None:
    @settings(SOME, max_examples=5)
    @given(arguments(tool), st.just(PLANTED))
    def drive(said: dict[str, object], planted: str) -> None:
        try:
            taken = tool.takes.model_validate(said)
        except (ValidationError, Refusal):
            assume(False)
        answer = anyio.run(tool.run, taken, Port(TO_ALL, planted=planted))
        assert isinstance(answer, tool.gives)
        assert planted not in wire.compact(wire.success(tool, answer))

    drive()
