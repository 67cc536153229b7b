"""What the demo keeps from one day to the next, so that a block pasted yesterday works today."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import platformdirs

from server.settings import SettingsError


@dataclass(frozen=True, slots=True)
class DemoState:
    """A folder of the person's own, readable by nobody else.

    Parameters:
        seed: what passwords are made from.
    """

    folder: Path
    seed: str

    @property
    def database(self) -> Path:
        """The embedded tenant's data, its signing key and its tokens."""
        return self.folder / "tenant.sqlite"

    def read(self, name: str) -> Any:
        """A value kept earlier, or None."""
        return _read(self.folder).get(name)

    def keep(self, name: str, value: Any) -> None:
        """Keep a value."""
        _write(self.folder, {**_read(self.folder), name: value})


@contextmanager
def open_state(folder: Path | None = None) -> Iterator[DemoState]:
    """The demo's state while the block runs; nobody else's demo runs on it meanwhile.

    Parameters:
        folder: instead of the person's state folder.

    Raises:
        SettingsError: another demo uses it, or it cannot be read.
    """
    kept = folder or platformdirs.user_state_path("nudj-mcp") / "demo"
    kept.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept.chmod(0o700)
    before = os.umask(0o077)
    lock = filelock.FileLock(kept / "lock", mode=0o600)
    try:
        with lock.acquire(timeout=0):
            said = _read(kept)
            seed = said.get("seed") or secrets.token_hex(32)
            _write(kept, {**said, "seed": seed})
            yield DemoState(kept, seed)
    except filelock.Timeout:
        busy = f"another demo runs already (its state is {kept}): stop it first, or use demo --once"
        raise SettingsError((busy,)) from None
    finally:
        os.umask(before)


def _read(folder: Path) -> dict[str, Any]:
    file = folder / "state.json"
    if not file.exists():
        return {}
    try:
        said: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except ValueError:
        raise SettingsError((f"{file} cannot be read: remove {folder} to start anew",)) from None
    return said


def _write(folder: Path, said: dict[str, Any]) -> None:
    fresh = folder / "state.json.new"
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(said), "utf-8")
    fresh.replace(folder / "state.json")
