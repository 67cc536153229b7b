"""Blocks that `config` wrote, read by the clients' own command lines: Codex, Gemini CLI and opencode."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from server.clients.own_process import isolate_ourselves
from tests.support.client_processes import MODULES, NODE, surroundings
from tests.support.hosted_server import Hosted, hosted

CODEX = MODULES / "@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex"
GEMINI = MODULES / "@google/gemini-cli/bundle/gemini.js"
OPENCODE = MODULES / "opencode-linux-x64/bin/opencode"

if not (CODEX.exists() and GEMINI.exists() and OPENCODE.exists()) and not os.environ.get("NUDJ_REQUIRE_ALL"):
    pytest.skip("run tests/clients/install on Linux first", allow_module_level=True)

WISHES = {"plain": (), "variable": (), "stdio": ("--via", "stdio")}


@pytest.fixture(scope="module")
def world() -> Iterator[Hosted]:
    """One deployment for all of them."""
    with hosted() as found:
        yield found


class Machine:
    """A person's machine on which one client was configured in every way."""

    def __init__(self, world: Hosted, home: Path, client: str) -> None:
        self._home = home
        self._around = {
            **surroundings(str(home)),
            **world.environment,
            "NUDJ_MCP_TOKEN": world.token("manager"),
            "NUDJ_API_DOMAIN": world.domain(),
            "GEMINI_API_KEY": "none",
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "HTTPS_PROXY": "http://127.0.0.1:1",
            "NO_PROXY": "127.0.0.1,localhost",
        }
        for name, wish in WISHES.items():
            given = () if name == "variable" else ("--domain", world.domain())
            words = ("config", client, "--scope", "user", "--url", f"{world.origin}/mcp", "--name", name, "--write")
            assert self.run(isolate_ourselves({}, *words, *given, *wish).command).startswith(("Written", "Backup"))

    def run(self, words: Sequence[str]) -> str:
        """What it said, without colours."""
        done = subprocess.run(
            words,
            cwd=self._home,
            env=self._around,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=True,
        )
        return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)


def test_codex_reads_the_token_and_the_organisation_where_the_block_says(world: Hosted, tmp_path: Path) -> None:
    said = Machine(world, tmp_path, "codex").run([str(CODEX), "mcp", "list", "--json"])
    listed = {one["name"]: one["transport"] for one in json.loads(said[said.index("[\n") :])}
    assert listed.keys() == WISHES.keys()
    assert listed["plain"]["bearer_token_env_var"] == "NUDJ_MCP_TOKEN"
    assert listed["plain"]["http_headers"] == {"x-api-domain": world.domain()}
    assert listed["variable"]["env_http_headers"] == {"x-api-domain": "NUDJ_API_DOMAIN"}
    assert listed["stdio"]["env_vars"] == ["NUDJ_MCP_TOKEN"]


def test_gemini_connects_with_every_block(world: Hosted, tmp_path: Path) -> None:
    said = Machine(world, tmp_path, "gemini").run([str(NODE), str(GEMINI), "mcp", "list"])
    assert sorted(re.findall(r"✓ (\w+): .* - Connected", said)) == sorted(WISHES), said


def test_opencode_connects_with_every_block(world: Hosted, tmp_path: Path) -> None:
    said = Machine(world, tmp_path, "opencode").run([str(OPENCODE), "mcp", "list"])
    assert sorted(re.findall(r"✓ (\w+)\s+connected", said)) == sorted(WISHES), said
