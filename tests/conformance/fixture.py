"""What a fixture tool of the conformance suite is; the suite names them and what each must answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import mcp.types as t
from mcp.server import ServerRequestContext

Context = ServerRequestContext[Any, Any]
Answer = t.CallToolResult | t.InputRequiredResult
Run = Callable[[Context, t.CallToolRequestParams], Awaitable[Answer]]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="

NOTHING: Mapping[str, Any] = {"type": "object", "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class Fixture:
    """One tool the suite calls."""

    name: str
    run: Run
    schema: Mapping[str, Any] = field(default_factory=lambda: NOTHING)

    def tool(self) -> t.Tool:
        """As tools/list shows it."""
        return t.Tool(name=self.name, description="A fixture of the conformance suite.", input_schema=dict(self.schema))


def text(words: str, *, is_error: bool = False) -> t.CallToolResult:
    """An answer of one text."""
    return t.CallToolResult(content=[t.TextContent(type="text", text=words)], is_error=is_error)
