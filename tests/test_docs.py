"""Generated pages say what the code says."""

from pathlib import Path

import pytest

from scripts.generate_docs import PAGES
from tools import CATALOGUE
from tools.api.operations import OPERATIONS

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_current(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run python -m scripts.generate_docs"


def test_the_tools_page_accounts_for_every_tool_and_operation() -> None:
    page = (DOCS / "tools.md").read_text(encoding="utf-8")
    assert [tool.name for tool in CATALOGUE if f"### {tool.name}\n" not in page] == []
    assert [one.id for one in OPERATIONS if f"| `{one.id}` |" not in page] == []
