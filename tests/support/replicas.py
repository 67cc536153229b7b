"""More than one machine, on one: replicas as processes, the Redis they share, the door in front of them."""

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.hosted_server import ROOT, Hosted, stopped
from tests.support.raw_clients import Http


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def needs(program: str) -> str:
    """The path of a program; the test is skipped where it is not installed, except in CI."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"{program} is not installed")
    assert found is not None, program
    return found


@dataclass
class SharedState:
    """A Redis that can fall silent, die and come back."""

    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Where replicas find it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, empty, and wait until it listens."""
        words = (needs("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "")
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        listens(self.port)

    def send(self, number: signal.Signals) -> None:
        """SIGSTOP makes it hang with its connections open, SIGCONT brings it back."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it, hanging or not."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextmanager
def shared_state() -> Iterator[SharedState]:
    """A Redis while the block runs."""
    here = SharedState()
    try:
        here.start()
        yield here
    finally:
        here.kill()


@contextmanager
def replicas(of: Hosted, count: int, **environment: str) -> Iterator[Sequence[Hosted]]:
    """More servers for the same tenant; `environment` differs from that server's, empty values leave a setting out."""
    told = {name: value for name, value in {**of.environment, **environment}.items() if value}
    made = [Hosted(free_port(), of.organisations, told) for _ in range(count)]
    try:
        for each in made:
            each.start()
        yield made
    finally:
        for each in made:
            each.stop()


@contextmanager
def door(behind: Sequence[Hosted]) -> Iterator[str]:
    """The nginx of deploy/nginx.conf, without TLS, in front of replicas; gives its origin."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "nginx.conf")
        config.write_text(_local((ROOT / "deploy" / "nginx.conf").read_text(), folder, port, behind))
        process = subprocess.Popen((needs("nginx"), "-p", folder, "-c", str(config), "-g", "daemon off;"))
        try:
            listens(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            stopped(process)


def _local(config: str, folder: str, port: int, behind: Sequence[Hosted]) -> str:
    for number, each in enumerate(behind, 1):
        config = config.replace(f"server-{number}:4010", f"127.0.0.1:{each.port}")
    config = re.sub(r"\n\s*ssl_[^;]*;", "", config)
    return config.replace("listen 8443 ssl;", f"listen 127.0.0.1:{port};").replace("/tmp/", f"{folder}/")


def listens(port: int, patience_s: float = 10) -> None:
    """Wait until something listens on a port of this machine."""
    ends = time.monotonic() + patience_s
    while time.monotonic() < ends:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port}")


def token_id(token: str) -> str:
    """The `jti` of a token."""
    claims = token.split(".")[1]
    found: str = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["jti"]
    return found


async def confirmed(http: Http, tool: str, arguments: dict[str, str], headers: dict[str, str]) -> str:
    """The code of a destroying call, made again with the confirm value it asks for."""
    asked = (await http.call(tool, arguments, headers=headers)).envelope["error"]
    assert asked["code"] == "confirmation_required", asked
    return (await http.call(tool, {**arguments, "confirm": asked["confirm"]}, headers=headers)).code
