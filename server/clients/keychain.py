"""Tokens at rest: one profile per organisation in the keychain of the operating system, or in a file when asked for."""

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import keyring
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.errors import KeyringError, PasswordDeleteError
from pydantic import BaseModel, ConfigDict, ValidationError

from server.credentials.secret import Secret

SERVICE = "nudj-mcp"
DEFAULT = "default"
"""The profile that is meant when none is named."""

# Named one by one, since what is not known to encrypt (keyrings.alt writes plain files) must not get a token.
_TRUSTED = (
    "keyring.backends.SecretService",
    "keyring.backends.libsecret",
    "keyring.backends.kwallet",
    "keyring.backends.macOS",
    "keyring.backends.Windows",
)
_INSTEAD = (
    "Instead, set NUDJ_MCP_TOKEN and NUDJ_API_DOMAIN where the client starts; or, if a file only you can read is good "
    "enough, `nudj-mcp login --profile-file PATH`."
)


class KeychainError(Exception):
    """The keychain cannot do what was asked; the text says what to do instead and never holds a token."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What one connection needs.

    Parameters:
        name: the person's own word for it.
        domain: the organisation's API, as x-api-domain.
        token: the credential.
    """

    name: str
    domain: str
    token: Secret


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    domain: str
    token: str


def store(profile: Profile, *, file: Path | None = None, backend: KeyringBackend | None = None) -> str:
    """Keep a profile; an older one of the same name goes.

    Parameters:
        file: keep it there, readable by its owner alone, instead of in the keychain.
        backend: the keychain to use; by default the one `keyring` finds on this machine.

    Returns:
        Where it is kept, in words.

    Raises:
        KeychainError: there is no keychain that encrypts, or it refused.
    """
    entry = json.dumps({"domain": profile.domain, "token": profile.token.reveal()})
    if file is not None:
        _write(file, entry)
        return str(file)
    trusted = _check_backend(backend)
    try:
        trusted.set_password(SERVICE, profile.name, entry)
    except KeyringError as error:
        raise _describe_failure(trusted, error) from None
    return f"the keychain ({trusted.name})"


def read(name: str, *, file: Path | None = None, backend: KeyringBackend | None = None) -> Profile:
    """The profile of that name.

    Raises:
        KeychainError: there is none, it cannot be read, or others could read its file too.
    """
    entry = _read(file) if file is not None else _look_up(name, _check_backend(backend))
    if entry is None:
        raise KeychainError(f"There is no profile {name}: run `nudj-mcp login --profile {name}`.")
    try:
        kept = _Entry.model_validate_json(entry)
    except ValidationError:
        raise KeychainError(f"What is kept for the profile {name} is not a profile: log in again.") from None
    return Profile(name, kept.domain, Secret(kept.token))


def forget(name: str, *, file: Path | None = None, backend: KeyringBackend | None = None) -> None:
    """Remove a profile.

    Raises:
        KeychainError: there is none, or the keychain refused.
    """
    if file is not None:
        if not file.exists():
            raise KeychainError(f"There is no file {file}.")
        file.unlink()
        return
    trusted = _check_backend(backend)
    try:
        trusted.delete_password(SERVICE, name)
    except PasswordDeleteError:
        raise KeychainError(f"There is no profile {name}.") from None
    except KeyringError as error:
        raise _describe_failure(trusted, error) from None


def _check_backend(backend: KeyringBackend | None) -> KeyringBackend:
    found = backend or keyring.get_keyring()
    candidates = list(found.backends) if isinstance(found, ChainerBackend) else [found]
    for candidate in candidates:
        if type(candidate).__module__.startswith(_TRUSTED):
            return candidate
    kind = type(found).__module__
    if kind == "keyring.backends.fail":
        raise KeychainError(f"This machine has no keychain service. {_INSTEAD}")
    raise KeychainError(
        f"The keychain {kind} is not known to encrypt what it keeps, so no token goes there. {_INSTEAD}"
    )


def _look_up(name: str, trusted: KeyringBackend) -> str | None:
    try:
        return trusted.get_password(SERVICE, name)
    except KeyringError as error:
        raise _describe_failure(trusted, error) from None


def _describe_failure(trusted: KeyringBackend, error: KeyringError) -> KeychainError:
    # The kind of fault only: a backend's text may quote what it was given.
    return KeychainError(f"The keychain ({trusted.name}) refused: {type(error).__name__}. Unlock it and try again.")


def _write(file: Path, entry: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    # O_EXCL with the final mode: at no moment can anyone else open it.
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(entry)
    new.replace(file)


def _read(file: Path) -> str | None:
    if not file.exists():
        return None
    held = file.stat()
    if held.st_uid != os.getuid() or held.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeychainError(f"Others can read or write {file}: `chmod 600 {file}`, then replace the token in it.")
    return file.read_text("utf-8")
