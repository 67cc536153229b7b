"""What the operator reads: one JSON line per record whatever came in, and never a token."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

_LONGEST = 8_000
_TOKEN = re.compile(r"eyJ[\w-]{5,}(?:\.[\w-]*){0,4}|(?i:(?<=bearer )[^\s\"',;\\*]{8,})")


def mask(text: str) -> str:
    """The text with everything that looks like a JWT or a bearer token replaced: the last line of defence."""
    if "eyJ" not in text and "earer " not in text.lower():
        return text
    return _TOKEN.sub("***", text)


class JsonLines(logging.Formatter):
    """Formats a record as one line of ASCII JSON: newlines and control characters escaped, long texts cut."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`; a traceback becomes the member `traceback`."""
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _tame(record.getMessage()),
        }
        if record.exc_info and record.exc_info[0]:
            said["traceback"] = _tame(self.formatException(record.exc_info))
        return json.dumps(said)


def _tame(text: str) -> str:
    text = mask(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} [...] {text[-_LONGEST // 2 :]}"


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Route every logger of the process (uvicorn's and the SDK's too) through `JsonLines`.

    Start uvicorn with `log_config=None`, so that it does not bring handlers of its own.

    Parameters:
        level: a name the logging module knows.
        stream: stderr unless given; never stdout, which is the protocol's under stdio.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name, quieter in (("uvicorn.access", logging.WARNING), ("asyncio", logging.WARNING)):
        logging.getLogger(name).setLevel(quieter)


def set_level(name: str) -> None:
    """Drop records below this level, once the settings are known; `configure` came first."""
    logging.getLogger().setLevel(name.upper())
