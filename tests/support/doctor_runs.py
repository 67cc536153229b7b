"""A walk of the doctor from a client's file, and what it came to."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from server.cli import doctor
from server.doctor.diagnosis import STEPS, Diagnosis
from server.doctor.results import Kind, Step

TOKEN = "aaa.bbb.ccc"
DOMAIN = "https://acme.nudj.cx/api/v2/admin"


async def examined(folder: Path, block: Any, *words: str, around: Mapping[str, str] = {}, **walk: Any) -> list[Step]:
    """The steps of a walk from a client's file with this entry; text stands for the whole file."""
    file = folder / "client.json"
    file.write_text(block if isinstance(block, str) else json.dumps({"mcpServers": {"nudj": block}}))
    parser = argparse.ArgumentParser()
    doctor.add(parser.add_subparsers())
    arguments = parser.parse_args(["doctor", "--file", str(file), *words])
    steps: list[Step] = []
    await Diagnosis(steps.append, trust=arguments.trust, **walk).along(lambda: doctor.find_setup(arguments, around))
    return steps


def broken(steps: list[Step]) -> tuple[str, Kind | None, str | None]:
    """Where it broke, whose business that is, and why; nothing but passes before it."""
    assert [step.good for step in steps] == [True] * (len(steps) - 1) + [False], steps
    assert [step.name for step in steps] == [name for name in STEPS if name in {step.name for step in steps}]
    last = steps[-1]
    assert last.said.endswith((".", ")")), last
    assert last.fix
    assert TOKEN not in last.said + last.fix
    return last.name, last.kind, last.reason


def remote(authorization: str | None = f"Bearer {TOKEN}", domain: str | None = DOMAIN) -> dict[str, Any]:
    """An entry with these headers."""
    said = {"Authorization": authorization, "x-api-domain": domain}
    headers = {name: value for name, value in said.items() if value is not None}
    return {"type": "http", "url": "https://mcp.nudj.cx/mcp", "headers": headers}
