"""What listing the tools costs a client, printed and bounded: every conversation pays it."""

import pytest

from server.access import roles
from server.access.policy import Policy
from server.identity.principal import Grant, Principal, Role
from server.pipeline import envelope
from server.protocol import schemas
from tests.support.measurements import Figure
from tests.support.schema_samples import HEX
from tools import CATALOGUE
from tools.spec import Tool
from tools.toolsets import DEFAULT, TOOLSETS

LIMITS = {
    (Role.SUPER_ADMIN, "all"): 80_000,
    (Role.MANAGER, "default"): 36_000,
    (Role.VIEWER, "default"): 14_000,
}


def listed(role: Role, toolsets: frozenset[str]) -> list[Tool]:
    """The tools a caller of this role is shown."""
    grants = Policy(roles.load_roles())
    who = Principal("user-1", HEX, (Grant(role),), 4102444800, None, "bearer", "0" * 64)
    return [
        tool for tool in CATALOGUE if tool.toolset in toolsets and grants.decide(who, tool, "builder").denied is None
    ]


def size(tools: list[Tool]) -> int:
    """Bytes of the list as JSON on the wire."""
    shown = [schemas.describe_tool(tool).model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    return len(envelope.compact({"tools": shown}).encode())


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
@pytest.mark.parametrize("which", ["default", "all"])
def test_listing_the_tools_stays_within_its_budget(role: Role, which: str, figure: Figure) -> None:
    tools = listed(role, DEFAULT if which == "default" else frozenset(TOOLSETS))
    measured = size(tools)
    figure(f"tools/list, {role.value}, {which} toolsets: {len(tools)} tools, {measured} bytes")
    assert measured <= LIMITS.get((role, which), 80_000)
