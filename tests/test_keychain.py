"""Tokens at rest: in a keychain that encrypts, or nowhere unless a person asks for a file."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as Absent
from keyring.backends.null import Keyring as Forgetful
from keyring.backends.SecretService import Keyring as SecretService

from server.clients import keychain
from server.credentials.secret import Secret

HERE = Path(__file__).parent
ACME = keychain.Profile("acme", "https://acme.nudj.cx/api/v2/admin", Secret("aaa.bbb.ccc"))


class InTheClear(KeyringBackend):
    """Stands where keyrings.alt would: a working keychain that writes plain text."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class Chain(ChainerBackend):
    """What keyring picks when several keychains are installed."""

    def __init__(self, *links: KeyringBackend) -> None:
        self.links = links

    @property
    def backends(self) -> list[KeyringBackend]:
        return list(self.links)


@pytest.mark.parametrize(
    "act",
    [
        lambda backend: keychain.store(ACME, backend=backend),
        lambda backend: keychain.read("acme", backend=backend),
        lambda backend: keychain.forget("acme", backend=backend),
    ],
    ids=["store", "read", "forget"],
)
@pytest.mark.parametrize("kind", [InTheClear, Forgetful, Absent], ids=["plain", "null", "none"])
def test_a_keychain_that_does_not_encrypt_is_refused(
    act: Callable[[KeyringBackend], object], kind: Callable[[], KeyringBackend]
) -> None:
    with pytest.raises(keychain.KeychainError, match="NUDJ_MCP_TOKEN") as refused:
        act(kind())
    assert "bbb" not in str(refused.value)


def test_a_plain_keychain_earlier_in_the_chain_is_passed_over() -> None:
    encrypting: Callable[[], KeyringBackend] = SecretService
    chosen = encrypting()
    assert keychain._check_backend(Chain(InTheClear(), chosen)) is chosen
    with pytest.raises(keychain.KeychainError):
        keychain.store(ACME, backend=Chain(InTheClear()))


def test_a_file_is_its_owners_alone_from_its_first_moment(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "acme.json"
    before = os.umask(0)
    try:
        assert keychain.store(ACME, file=file) == str(file)
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600
    assert keychain.read("acme", file=file) == ACME
    keychain.store(ACME, file=file)
    keychain.forget("acme", file=file)
    assert not file.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_open_is_not_read(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "acme.json"
    keychain.store(ACME, file=file)
    file.chmod(mode)
    with pytest.raises(keychain.KeychainError, match="chmod 600"):
        keychain.read("acme", file=file)


def test_a_damaged_entry_is_named_and_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "acme.json"
    keychain.store(ACME, file=file)
    file.write_text('{"token": "aaa.bbb.ccc"}')
    with pytest.raises(keychain.KeychainError, match="log in again") as refused:
        keychain.read("acme", file=file)
    assert "bbb" not in str(refused.value)


def test_a_profile_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(keychain.KeychainError, match="nudj-mcp login"):
        keychain.read("acme", file=tmp_path / "absent")
    with pytest.raises(keychain.KeychainError, match="no file"):
        keychain.forget("acme", file=tmp_path / "absent")


ROUND = """
from server.clients import keychain
from server.credentials.secret import Secret
kept = keychain.Profile("acme", "https://acme.nudj.cx/api/v2/admin", Secret("aaa.bbb.ccc"))
said = [keychain.store(kept), keychain.read("acme") == kept]
keychain.forget("acme")
for act in (keychain.read, keychain.forget):
    try:
        act("acme")
    except keychain.KeychainError as error:
        said.append(str(error))
import json
print(json.dumps(said))
"""


def with_keyring(*command: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a command beside a real Secret Service; a machine without one skips, unless everything is required."""
    if shutil.which("gnome-keyring-daemon") is None and not os.environ.get("NUDJ_REQUIRE_ALL"):
        pytest.skip("gnome-keyring is not installed")
    words = [str(HERE / "clients" / "with-keyring"), *command]
    return subprocess.run(words, input=given, capture_output=True, text=True, timeout=60, cwd=HERE.parent, check=False)


def test_a_real_secret_service_keeps_a_profile_and_forgets_it() -> None:
    done = with_keyring(sys.executable, "-c", ROUND)
    assert json.loads(done.stdout) == [
        "the keychain (SecretService Keyring)",
        True,
        "There is no profile acme: run `nudj-mcp login --profile acme`.",
        "There is no profile acme.",
    ]
