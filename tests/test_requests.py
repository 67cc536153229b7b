"""What tools send and give back, driven with whatever arguments their schemas allow."""

from contextlib import suppress
from typing import Any

import anyio
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from server.pipeline import envelope
from tests.support.argument_strategies import SOME, TAG, arguments
from tests.support.document_tenant_api import Port
from tests.support.schema_samples import HEX
from tools import CATALOGUE
from tools.api.operations import GET_ORGANISATION
from tools.refusals import ToolError
from tools.spec import Tool

EVERY = pytest.mark.parametrize("tool", CATALOGUE, ids=lambda tool: tool.name)
TO_ALL = {"processManualDistribution": {"success": True, "usersProcessed": 1, "failedUserIds": []}}
"""A sample names somebody who got nothing, which is a refusal; here everybody gets theirs."""
PAYING = ("challenge", "action", "achievement")
RARE: dict[str, tuple[dict[str, Any], ...]] = {
    "create_challenge": (
        {"community_id": HEX, "title": "t", "tags": [TAG], "dry_run": True},
        {"community_id": HEX, "title": "t", "points": 5, "actions": [{"key": "question-open-ended", "title": "q"}]},
    ),
    "create_achievement": (
        {"community_id": HEX, "title": "t", "event": "e-e", "target": 1, "tags": [TAG], "dry_run": True},
    ),
    "create_achievement_series": (
        {
            "community_id": HEX,
            "title": "t",
            "event": "e-e",
            "tiers": [{"name": "a", "target": 1}, {"name": "b", "target": 2}],
            "tags": [TAG],
            "dry_run": True,
        },
    ),
    "create_post": ({"community_id": HEX, "title": "t", "content": "<p>c</p>", "tags": [TAG]},),
    "create_reward": ({"community_id": HEX, "title": "t", "tags": [TAG]},),
    "update_achievement": ({"id": HEX, "tags": [TAG]},),
    "update_challenge": ({"id": HEX, "tags": [TAG]},),
    "update_post": ({"id": HEX, "tags": [TAG]},),
    "update_reward": ({"id": HEX, "tags": [TAG]},),
    "set_distribution": (
        *({"owner_type": owner, "owner_id": HEX, "prizes": [{"points": 5}]} for owner in PAYING),
        {"owner_type": "leaderboard", "owner_id": HEX, "prizes": [{"points": 5, "start_rank": 1, "end_rank": 3}]},
    ),
}
"""Arguments that chance would seldom find together."""

PLANTED = "sk-planted-0123456789"


def _taken(tool: Tool, said: dict[str, Any]) -> bool:
    """Whether members that are legal alone are legal together; that is what a schema cannot say."""
    try:
        tool.takes.model_validate(said)
    except (ValidationError, ToolError):
        return False
    return True


@EVERY
def test_a_tool_makes_exactly_the_requests_it_declares_as_the_document_wants_them(tool: Tool) -> None:
    emitted: set[str] = set()

    def call(said: dict[str, Any]) -> None:
        port = Port(TO_ALL, (*tool.operations, GET_ORGANISATION))
        arguments = tool.takes.model_validate(said)
        if tool.preview is not None:
            with suppress(ToolError):  # a host that is not among the organisation's is not asked about
                anyio.run(tool.preview, arguments, port)
        anyio.run(tool.run, arguments, port)
        emitted.update(made.operation.id for made in port.calls)

    @SOME
    @given(arguments(tool))
    def drive(said: dict[str, Any]) -> None:
        assume(_taken(tool, said))
        call(said)

    drive()
    for said in RARE.get(tool.name, ()):
        call(said)
    assert emitted - {GET_ORGANISATION.id} == {operation.id for operation in tool.operations} - {GET_ORGANISATION.id}


@EVERY
def test_nothing_the_answer_does_not_name_comes_out(tool: Tool) -> None:
    @settings(SOME, max_examples=5)
    @given(arguments(tool), st.just(PLANTED))
    def drive(said: dict[str, Any], planted: str) -> None:
        assume(_taken(tool, said))
        answer = anyio.run(tool.run, tool.takes.model_validate(said), Port(TO_ALL, planted=planted))
        assert isinstance(answer, tool.gives)
        assert planted not in envelope.build_success(tool, answer).text

    drive()
