"""A client's file on disk: read as it is, and replaced whole, with one backup beside it."""

import shutil
import tempfile
from pathlib import Path

from server.clients.faults import ConfigError


def read_text(file: Path) -> str:
    """The file, line ends as they are; empty when there is none.

    Raises:
        ConfigError: it is not text.
    """
    try:
        return file.read_bytes().decode("utf-8") if file.exists() else ""
    except UnicodeDecodeError:
        raise ConfigError(
            f"{file} is not text in UTF-8.", "Save it so first; nothing was changed.", "unreadable"
        ) from None


def write_text(file: Path, text: str) -> Path | None:
    """Replace the file in one step; its mode stays.

    Returns:
        The backup: of the state before this change, as more of them would only pile up; None when there was no file.

    Raises:
        OSError: the folder cannot be written to.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    backup = None
    if file.exists():
        backup = file.with_name(f"{file.name}.nudj-mcp.bak")
        shutil.copy2(file, backup)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8", newline="") as new:
        new.write(text)
    if file.exists():
        shutil.copymode(file, new.name)
    Path(new.name).replace(file)
    return backup
