"""`nudj-mcp demo`: both servers on this machine, and a conversation that shows what the checks do."""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

import anyio

from server.cli import settings_flags
from server.cli.demo_client import DemoConfig, call_tool, connect
from server.cli.demo_script import Scene, build_scenes
from server.cli.demo_state import DemoState, open_state
from server.cli.local_stack import LocalStack, run_local_stack
from server.cli.progress import ProgressBar
from server.observability.audit import Sink, Stream
from server.serving.catalogue import LOOP
from server.serving.lifecycle import wait_until_stopped

FAILED = 1
_DAY_S = 24 * 3600
_MONTH_S = 30 * _DAY_S


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = subparsers.add_parser("demo", help="try everything on this machine, without an account")
    parser.add_argument("--once", action="store_true", help="show the conversation and exit: 0 when all held, else 1")
    settings_flags.add_flags(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Hold the conversation; without --once stay up afterwards.

    Raises:
        SettingsError, OSError: before a port is open.
    """
    if arguments.once and arguments.port is None:
        arguments.port = "0"
    arguments.log_level = arguments.log_level or "error"
    return anyio.run(_run_demo, arguments, backend_options=LOOP)


async def _run_demo(arguments: argparse.Namespace) -> int:
    with open(os.devnull, "w") as nowhere:  # noqa: ASYNC230, PTH123 - opened once, before anything runs
        if arguments.once:
            return await _show(arguments, Stream(nowhere), None)
        with open_state() as state:
            return await _show(arguments, Stream(nowhere), state)


async def _show(arguments: argparse.Namespace, audit: Sink, state: DemoState | None) -> int:
    async with run_local_stack(arguments, audit, state) as world:
        found = world.sandbox.organisations_file()
        story = build_scenes(found)
        told = Transcript(len(story) + 1)
        print("Two organisations, acme and globex, on one server. Every line is one real MCP call.\n")
        for scene in story:
            await _play(world, scene, told)
        await _play_revocation(world, found["acme"], told)
        print(f"\n{told.held} of {told.held + told.missed} expectations held.")
        if state is not None:
            _invite(world, found["acme"], _choose_token(world, state))
            await wait_until_stopped(world.health, world.settings)
        return FAILED if told.missed else 0


class Transcript:
    """Prints the transcript and keeps the score."""

    def __init__(self, scenes: int) -> None:
        self.held = self.missed = 0
        self.bar = ProgressBar(scenes)
        self._coloured = sys.stdout.isatty()

    def tell(self, held: bool, asked: str, answered: str) -> None:
        """One call: a tick or a cross, what was asked by whom, what came back."""
        self.bar.wipe()
        self.held += held
        self.missed += not held
        mark, colour = ("✓", "32") if held else ("✗", "31")
        print(f"{self._in(colour, mark)} {asked}\n    {answered[:300]}")

    def _in(self, colour: str, text: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._coloured else text


async def _play(world: LocalStack, scene: Scene, told: Transcript) -> None:
    told.bar.step(f"{scene.tool}, {scene.over}")
    async with connect(world, scene.config, scene.over) as client:
        envelope = await call_tool(client, scene.tool, scene.arguments)
    shown = json.dumps(scene.arguments, ensure_ascii=False)[:80] if scene.arguments else ""
    told.tell(scene.judge(envelope), f"{scene.who}, {scene.over}: {scene.tool} {shown}", scene.describe(envelope))


async def _play_revocation(world: LocalStack, acme: Mapping[str, Any], told: Transcript) -> None:
    """An admin revokes a token that works; within two seconds it must not."""
    told.bar.step("waiting for a revocation")
    token_id = f"demo-to-be-revoked-{time.time_ns()}"  # an id, not a token
    config = DemoConfig(world.sandbox.mint("acme", role="viewer", token_id=token_id), acme["api_domain"])
    async with connect(world, config, "/mcp") as client:
        before = await call_tool(client, "list_challenges", {"limit": 1})
        world.sandbox.revoke(token_id)
        began = time.monotonic()
        after = before
        while after.get("ok") and time.monotonic() - began < 2:
            await anyio.sleep(0.05)
            after = await call_tool(client, "list_challenges", {"limit": 1})
    code = after.get("error", {}).get("code")
    held = bool(before.get("ok")) and code in ("token_revoked", "upstream_unauthorized")
    told.tell(
        held,
        "a token that works, then revoked, /mcp: list_challenges",
        f"{code} after {time.monotonic() - began:.1f} s",
    )


def _choose_token(world: LocalStack, state: DemoState) -> str:
    """The token of the block that a person pastes: the one of the last time for as long as it lives."""
    kept = state.read("token")
    if kept is not None and kept["until"] > time.time() + _DAY_S:
        return str(kept["token"])
    token = world.sandbox.mint("acme", role="manager", ttl_s=_MONTH_S)
    state.keep("token", {"token": token, "until": time.time() + _MONTH_S})
    return token


def _invite(world: LocalStack, acme: Mapping[str, Any], token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "x-api-domain": acme["api_domain"]}
    config = {"mcpServers": {"nudj": {"type": "http", "url": world.mcp_url, "headers": headers}}}
    print("\nThe server stays up. Paste this into .mcp.json (Claude Code) or ~/.cursor/mcp.json (Cursor); it works the")
    print("next time you start the demo, too:\n")
    print(json.dumps(config, indent=2))
    print(f"\n{world.describe()}\n\nStop with Ctrl-C.", flush=True)
