"""An agent that does word for word what it is told: the reader of `finish` and of hints."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from tools.shared.steps import NOTHING_LEFT

Call = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Makes one tool call and gives its envelope."""

_STEP = re.compile(
    r"""(?:look\ with\ (?P<look>\w+\ \{.*?\})
        (?:(?P<absent>:\ if\ none\ there\ has\ the\ title\ (?P<title>".*?")\ and\ was\ created\ since\ \S+,\ )
          |(?P<named>\ for\ the\ one\ that\ has\ the\ title\ (?P<named_title>".*?")\ and\ was\ created\ since\ \S+$)
          |:\ only\ if\ total_count\ is\ (?P<count>\d+),\ ))?
        (?P<found>(?:if\ one\ has,\ )?with\ its\ id,\ )?
        (?P<call>\w+\ \{.*\})?$""",
    re.VERBOSE | re.DOTALL,
)


class Agent:
    """Follows a plan; `found` is the id of what a look showed."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._found: str | None = None
        self._remade = False

    async def follow(self, plan: str) -> None:
        """Do each of the calls of a `finish`, in order, looking first where it says so."""
        for step in () if plan == NOTHING_LEFT else plan.split("; then "):
            said = _STEP.match(step)
            assert said is not None, step
            await self._do(said)

    async def _do(self, said: "re.Match[str]") -> None:
        if said["look"] and not await self._is_wanted(said):
            return
        if said["found"]:
            if self._found is None:
                return
            call = re.sub(r"<id of the new \w+>", self._found, said["call"])
        else:
            call = said["call"]
        if call:
            envelope = await self._spoken(call)
            assert envelope["ok"], (call, envelope)

    async def _is_wanted(self, said: "re.Match[str]") -> bool:
        shown = (await self._spoken(said["look"]))["data"]
        if said["count"]:
            return bool(shown["total_count"] == int(said["count"]))
        title = json.loads(said["title"] or said["named_title"])
        ids = [item["id"] for item in shown["items"] if item["title"] == title]
        self._found = ids[0] if ids else None
        return not ids

    async def _spoken(self, call: str) -> dict[str, Any]:
        tool, _, said = call.partition(" ")
        return await self._call(tool, json.loads(said))
