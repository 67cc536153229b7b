"""A deployment as people meet it: the embedded tenant and a server, each its own process; the server can restart."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass
class Hosted:
    """The two processes.

    Parameters:
        organisations: what the tenant's tokens file says of each.
        environment: what a server needs to trust this tenant.
    """

    port: int
    organisations: Mapping[str, Any]
    environment: Mapping[str, str]
    server: "subprocess.Popen[bytes] | None" = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, name: str, organisation: str = "acme") -> str:
        return str(self.organisations[organisation]["tokens"][name])

    def domain(self, organisation: str = "acme") -> str:
        return str(self.organisations[organisation]["api_domain"])

    def headers(self, token: str = "admin", organisation: str = "acme") -> dict[str, str]:
        """The two headers: a token of acme, at an organisation."""
        return {"Authorization": f"Bearer {self.token(token)}", "x-api-domain": self.domain(organisation)}

    def start(self) -> None:
        """Start the server and wait until it would judge a call."""
        self.server = _python("serve", "--port", str(self.port), environment=self.environment)
        until(lambda: urllib.request.urlopen(f"{self.origin}/readyz", timeout=5).status == 200, self.server)

    def stop(self) -> None:
        """Stop it as an operator would."""
        if self.server is not None:
            stopped(self.server)

    def restart(self) -> None:
        """A new version is rolled out on the same port."""
        self.stop()
        self.start()


@contextmanager
def sandbox() -> Iterator[Mapping[str, Any]]:
    """The embedded tenant while the block runs: what its tokens file says."""
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder, "tokens.json")
        process = _python("sandbox", "--port", "0", "--tokens", str(tokens))
        try:
            until(tokens.exists, process)
            yield json.loads(tokens.read_text())
        finally:
            stopped(process)


@contextmanager
def hosted(*, unreachable: str | None = None) -> Iterator[Hosted]:
    """Both processes while the block runs; the API of the organisation `unreachable` is down."""
    with sandbox() as said, tempfile.TemporaryDirectory() as folder:
        world = _world(said, Path(folder, "tenants.toml"), unreachable)
        world.start()
        try:
            yield world
        finally:
            world.stop()


def _world(said: Mapping[str, Any], directory: Path, unreachable: str | None) -> Hosted:
    issuer = said["jwks_url"].removesuffix("/.well-known/jwks.json")
    directory.write_text(
        "\n".join(
            f'[tenants.{name}]\norganisation = "{one["id"]}"\napi_domain = "{one["api_domain"]}"\n'
            f'connect_to = "{"127.0.0.1:1" if name == unreachable else issuer.removeprefix("http://")}"\n'
            for name, one in said["organisations"].items()
        )
    )
    environment = {
        "NUDJ_MCP_AUTH_JWKS_URL": said["jwks_url"],
        "NUDJ_MCP_AUTH_ISSUER": issuer,
        "NUDJ_MCP_AUTH_AUDIENCE": "nudj-admin-api",
        "NUDJ_MCP_REVOCATIONS_URL": f"{issuer}/.well-known/revocations.json",
        "NUDJ_MCP_TENANTS_FILE": str(directory),
        "NUDJ_MCP_AUDIT_FILE": os.devnull,
        "NUDJ_MCP_LOG_LEVEL": "error",
        "NUDJ_MCP_DRAIN_NOTICE_S": "0",
        "NUDJ_MCP_DRAIN_S": "1",
    }
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return Hosted(port, said["organisations"], environment)


def _python(*words: str, environment: Mapping[str, str] = {}) -> "subprocess.Popen[bytes]":
    around = {name: value for name, value in os.environ.items() if not name.startswith("NUDJ_")}
    return subprocess.Popen(
        [sys.executable, "-m", "server", *words], cwd=ROOT, env={**around, **environment}, stdout=subprocess.DEVNULL
    )


def until(ready: Any, process: "subprocess.Popen[bytes]", patience_s: float = 30) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < patience_s:
        assert process.poll() is None, "the process ended instead of serving"
        try:
            if ready():
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError("not ready in time")


def stopped(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
