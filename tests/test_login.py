"""Login, whoami, logout and stdio by profile, with a real Secret Service and a real tenant behind them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.doctor.results import EXIT, Kind
from tests.support.hosted_server import ROOT, Hosted, hosted
from tests.test_keychain import with_keyring

COMMAND = (sys.executable, "-m", "server")


@pytest.fixture(scope="module")
def world() -> Iterator[Hosted]:
    """A deployment."""
    with hosted() as found:
        yield found


def _run(world: Hosted, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    around = {name: value for name, value in os.environ.items() if not name.startswith(("NUDJ_", "DBUS_"))}
    return subprocess.run(
        [*COMMAND, *words],
        cwd=ROOT,
        env={**around, **world.environment},
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


SESSION = """
set -eu
say() { echo "== $1"; shift; "$@" || echo "exit $?"; }
say login python -m server login --profile acme --domain "$DOMAIN" --token-file - </dev/stdin
say whoami python -m server whoami --profile acme
say stdio python -m server doctor --file client.json
say logout python -m server logout --profile acme
say again python -m server whoami --profile acme 2>&1
"""


def test_a_profile_lives_in_the_keychain_from_login_to_logout(world: Hosted, tmp_path: Path) -> None:
    file = tmp_path / "client.json"
    block = {"command": sys.executable, "args": ["-m", "server", "stdio", "--profile", "acme"]}
    file.write_text(json.dumps({"mcpServers": {"nudj": block}}))
    script = SESSION.replace("python", sys.executable).replace("client.json", str(file))
    around = [f"{name}={value}" for name, value in {**world.environment, "DOMAIN": world.domain()}.items()]
    done = with_keyring("env", *around, "sh", "-c", script, given=world.token("manager"))
    said = dict(part.split("\n", 1) for part in done.stdout.split("== ")[1:])
    assert "Kept as acme in the keychain (SecretService Keyring)." in said["login"], done.stdout + done.stderr
    assert "manager" in said["whoami"]
    assert said["stdio"].count("✓") == 8
    assert "Forgot acme." in said["logout"]
    assert "There is no profile acme" in said["again"]
    assert world.token("manager") not in done.stdout + done.stderr


def test_a_token_that_does_not_work_is_not_kept(world: Hosted, tmp_path: Path) -> None:
    file = tmp_path / "acme.json"
    words = ("login", "--domain", world.domain(), "--token-file", "-", "--profile-file", str(file))
    done = _run(world, *words, given=world.token("expired"))
    assert done.returncode == EXIT[Kind.TOKEN]
    assert "✗ token" in done.stdout
    assert not file.exists()


def test_a_profile_in_a_file_is_kept_only_when_asked_for_and_then_serves(world: Hosted, tmp_path: Path) -> None:
    file = tmp_path / "acme.json"
    kept = ("--profile-file", str(file))
    assert (
        _run(
            world, "login", "--domain", world.domain(), "--token-file", "-", *kept, given=world.token("viewer")
        ).returncode
        == 0
    )
    assert file.stat().st_mode & 0o777 == 0o600
    done = _run(world, "whoami", *kept, "--url", f"{world.origin}/mcp")
    assert done.returncode == 0
    assert "viewer" in done.stdout
    assert world.token("viewer") not in done.stdout


def test_stdio_without_its_profile_says_so_in_one_line(world: Hosted, tmp_path: Path) -> None:
    done = _run(world, "stdio", "--profile-file", str(tmp_path / "absent"))
    assert done.returncode == 2
    assert "There is no profile default: run `nudj-mcp login --profile default`." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("logout",), ("whoami",), ("login", "--domain", "D", "--token-file", "-")])
def test_no_keychain_means_a_message_with_the_alternatives(world: Hosted, words: tuple[str, ...]) -> None:
    done = _run(world, *words, given=world.token("viewer")) if words[0] != "login" else _good_login(world)
    assert done.returncode == 2
    assert "NUDJ_MCP_TOKEN" in done.stderr
    assert "--profile-file" in done.stderr
    assert "Traceback" not in done.stderr


def _good_login(world: Hosted) -> "subprocess.CompletedProcess[str]":
    return _run(world, "login", "--domain", world.domain(), "--token-file", "-", given=world.token("viewer"))
