"""What is said at start about a configuration that works but is weaker than it could be."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from server.config_warnings import list_warnings
from server.settings import Settings

SOUND: dict[str, Any] = {
    "auth_jwks_url": "https://issuer.example/keys",
    "auth_issuer": "https://issuer.example",
    "auth_audience": "nudj",
    "revocations_url": "https://issuer.example/revoked",
}


@pytest.fixture(name="tenants")
def _tenants(tmp_path: Path) -> Path:
    path = tmp_path / "tenants.toml"
    path.touch(mode=0o644)
    return path


def test_a_sound_configuration_needs_no_word(tenants: Path) -> None:
    assert list_warnings(Settings(tenants_file=tenants, **SOUND)) == []


@pytest.mark.parametrize("name", ["auth_issuer", "auth_audience", "revocations_url"])
def test_a_check_that_is_left_out_is_named(tenants: Path, name: str) -> None:
    assert len(list_warnings(Settings(tenants_file=tenants, **SOUND | {name: None}))) == 1


def test_asking_tenants_on_behalf_of_strangers_is_named(tenants: Path) -> None:
    assert len(list_warnings(Settings(auth_verify="upstream", tenants_file=tenants))) == 1
    assert list_warnings(Settings(auth_verify="upstream", api_domain="https://acme.nudj.cx/api/v2/admin")) == []


def test_a_file_that_others_can_write_is_named(tenants: Path) -> None:
    tenants.chmod(0o666)
    [said] = list_warnings(Settings(tenants_file=tenants, **SOUND))
    assert said.startswith("NUDJ_MCP_TENANTS_FILE")


def test_a_secret_that_others_can_read_is_named(tenants: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    for mode, words in ((0o600, 0), (0o640, 0), (0o644, 1)):
        key.touch()
        key.chmod(mode)
        assert len(list_warnings(Settings(tenants_file=tenants, confirm_key_file=key, **SOUND))) == words


@pytest.mark.parametrize("name", ["authorization", "host", "x-api-token", "X-API-Domain", "x-request-id", "x-a\r\nb"])
def test_the_caller_is_not_named_in_a_header_that_means_something_else(tenants: Path, name: str) -> None:
    with pytest.raises(ValidationError):
        Settings(tenants_file=tenants, upstream_identity_header=name, **SOUND)
