"""Real clients as child processes: each is told what to do by a line and answers with a line."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CLIENTS = Path(__file__).parents[1] / "clients"
MODULES = CLIENTS / "node_modules"
NODE = MODULES / "node" / "bin" / "node"
INSPECTOR = MODULES / "@modelcontextprotocol" / "inspector" / "clients" / "launcher" / "build" / "index.js"
CONFORMANCE = MODULES / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"

Setup = Mapping[str, Any]


def needs_node() -> None:
    """Skip where the clients were not installed, unless everything is required."""
    if not NODE.exists() and not os.environ.get("NUDJ_REQUIRE_ALL"):
        pytest.skip("run tests/clients/install first")


def surroundings(home: str) -> dict[str, str]:
    """The environment a client starts in: private Node and our own script first, nothing of this user's."""
    path = os.pathsep.join((str(NODE.parent), str(Path(sys.executable).parent), os.defpath))
    return {"HOME": home, "PATH": path, "BROWSER": "none", "NPM_CONFIG_OFFLINE": "true"}


class Driven:
    """One client, connected or not: `hello` is what it said about connecting."""

    def __init__(self, process: "subprocess.Popen[str]", setup: Setup) -> None:
        self._process = process
        self.hello = self._ask(setup)

    def tools(self) -> list[str]:
        """tools/list, by name."""
        return [tool["name"] for tool in self._ask({"op": "list"})["tools"]]

    def call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """tools/call: the result as this client hands it to its application, or `thrown`."""
        return self._ask({"op": "call", "name": name, "args": arguments})

    def _ask(self, line: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the client ended"
        said: dict[str, Any] = json.loads(answer)
        return said


@contextmanager
def driven(driver: str, setup: Setup) -> Iterator[Driven]:
    """A client while the block runs.

    Parameters:
        driver: a file of tests/clients.
        setup: url and headers, or command, args and env; era for those that speak two.
    """
    interpreter = sys.executable if driver.endswith(".py") else str(NODE)
    with tempfile.TemporaryDirectory() as home:
        around = surroundings(home)
        if "command" in setup:
            setup = {**setup, "env": {**around, **setup.get("env", {})}}
        process = subprocess.Popen(
            [interpreter, str(CLIENTS / driver)],
            cwd=CLIENTS,
            env=around,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        with process:
            try:
                yield Driven(process, setup)
            finally:
                process.kill()
