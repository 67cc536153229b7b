"""Who did what, and what came of it: one JSON line per decision, written beside the call and never in its way."""

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TextIO

from pydantic import Field, TypeAdapter

from server.observability.logs import mask

_LONGEST = 256
_NAMES, _NAME, _DEPTH = 32, 64, 3
_log = logging.getLogger(__name__)


def format_now() -> str:
    """The moment, in UTC, as every line writes it."""
    seconds, rest = divmod(time.time_ns(), 1_000_000_000)
    return f"{_format_second(seconds)}.{rest // 1_000_000:03}+00:00"


@lru_cache(8)
def _format_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One decision, allowed or refused; docs/audit.schema.json is generated from this record."""

    time: Annotated[str, Field(description="When the call ended, UTC, ISO 8601.")] = field(default_factory=format_now)
    request_id: Annotated[str, Field(description="The id the client was shown.")]
    trace_id: Annotated[str | None, Field(description="W3C trace id, 32 hex digits.")] = None
    transport: Annotated[str, Field(description="http, sse or stdio.")]
    method: Annotated[str, Field(description="The MCP method: tools/call, tools/list, ...")] = "tools/call"
    subject: Annotated[str | None, Field(description="The verified caller; null when none was verified.")] = None
    token_id: Annotated[str | None, Field(description="The token's jti.")] = None
    organisation: Annotated[str | None, Field(description="The verified organisation's id.")] = None
    domain: Annotated[str | None, Field(description="The API domain asked for, as it came.")] = None
    tool: Annotated[str | None, Field(description="The tool asked for, as it came.")] = None
    effect: Annotated[str | None, Field(description="read, create, change or destroy.")] = None
    verdict: Annotated[Literal["allowed", "refused"], Field(description="Whether the call was let through.")]
    code: Annotated[str | None, Field(description="The code of docs/errors.md; null on success.")] = None
    status: Annotated[int, Field(description="200, or the code's status.")] = 200
    ms: Annotated[float, Field(description="Milliseconds from arrival to answer.")]
    shape: Annotated[
        Mapping[str, Any] | None, Field(description="Names and sizes of the arguments, never their values.")
    ] = None
    writes: Annotated[
        Mapping[str, Any] | None,
        Field(
            description="What the call made at the tenant, as operation:id, and what it may have made; null: nothing."
        ),
    ] = None

    def json(self) -> str:
        """One line of JSON, ASCII only: each text cut to 256 characters, anything that looks like a token masked."""
        said = (value[:_LONGEST] if isinstance(value, str) else value for value in _values(self))
        return mask(_encode(dict(zip(_FIELDS, said, strict=True))))


_FIELDS = tuple(AuditLine.__dataclass_fields__)
_values = attrgetter(*_FIELDS)
_encode = json.JSONEncoder(separators=(",", ":")).encode


def build_schema() -> dict[str, Any]:
    """The JSON Schema of a line, as published in docs/audit.schema.json."""
    schema = TypeAdapter(AuditLine).json_schema() | {"title": "Line"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def describe_shape(
    arguments: Mapping[str, Any], depth: int = _DEPTH, room: Iterator[int] | None = None
) -> dict[str, Any]:
    """Names and sizes of arguments, never values: `{"name": "string:12", "tags": "array:3", "points": "number"}`.

    At most 32 names in all, the outer ones first, each cut to 64 characters, 3 levels; `...` counts those left out.
    Calls of strangers are recorded too, and their lines must not push out everybody else's.
    """
    room = iter(range(_NAMES)) if room is None else room
    named = [pair for pair, _ in zip(arguments.items(), room, strict=False)]
    seen = {name[:_NAME]: _describe_size(value, depth, room) for name, value in named}
    left = len(arguments) - len(named)
    return seen | {"...": left} if left > 0 else seen


def _describe_size(value: Any, depth: int, room: Iterator[int]) -> Any:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return f"string:{len(value)}"
        case Mapping() if depth > 1:
            return describe_shape(value, depth - 1, room)
        case Mapping():
            return f"object:{len(value)}"
        case Sequence():
            return f"array:{len(value)}"
        case _:
            return "unknown"


class Sink(Protocol):
    """Where lines end up."""

    def write(self, text: str) -> None:
        """Keep `text`, whole lines; raises OSError when it cannot."""
        ...

    def close(self) -> None:
        """Let go of what is held."""
        ...


class Stream:
    """Lines to an open text stream: stdout under HTTP, stderr under stdio, whose stdout is the protocol's."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """See `Sink.write`."""
        self._stream.write(text)
        self._stream.flush()

    def close(self) -> None:
        """The stream is its owner's to close."""


class RotatingFile:
    """Lines to a file that only its owner can read; when full it becomes `<name>.1`, the older ones move up.

    Parameters:
        path: the file; its directory must exist.
        cap: bytes after which it is turned over, > 0.
        keep: how many older files stay, >= 1.
    """

    def __init__(self, path: Path, cap: int = 100_000_000, keep: int = 10) -> None:
        self._path, self._cap, self._keep = path, cap, keep
        self._file = self._open()

    def write(self, text: str) -> None:
        """See `Sink.write`."""
        if self._file.tell() and self._file.tell() + len(text) > self._cap:
            self._turn()
        self._file.write(text)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self) -> TextIO:
        self._path.touch(mode=0o600)
        return self._path.open("a", encoding="ascii")

    def _turn(self) -> None:
        self._file.close()
        for number in range(self._keep - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            if older.exists():
                older.replace(self._path.with_name(f"{self._path.name}.{number + 1}"))
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        self._file = self._open()


Observer = Callable[[AuditLine], None]


class Audit:
    """Takes lines from the calls and hands them to the sinks from a thread of its own.

    `write` never waits: when `bound` lines are waiting, or a sink fails, lines are lost, and `lost` counts them.

    Parameters:
        sinks: where lines go; none means only observers see them.
        bound: lines that may wait, > 0.
        pause_s: seconds the writer gathers lines before it writes them as one piece, >= 0.
    """

    def __init__(self, *sinks: Sink, bound: int = 20_000, pause_s: float = 0.05) -> None:
        self.lost = 0
        self._sinks, self._bound, self._pause_s = sinks, bound, pause_s
        self._observers: tuple[Observer, ...] = ()
        self._waiting: deque[str] = deque()
        self._work, self._closing = threading.Event(), threading.Event()
        self._writer = threading.Thread(target=self._write_all, name="audit", daemon=True)
        self._writer.start()

    @property
    def waiting(self) -> int:
        """Lines not yet handed to the sinks."""
        return len(self._waiting)

    def watch(self, observer: Observer) -> Callable[[], None]:
        """Have each line handed to `observer` too, in the caller's thread; it must return at once.

        Returns: what ends it.
        """
        self._observers += (observer,)

        def leave() -> None:
            self._observers = tuple(one for one in self._observers if one is not observer)

        return leave

    def write(self, line: AuditLine) -> None:
        """Record one decision."""
        if len(self._waiting) >= self._bound:
            self.lost += 1
        else:
            self._waiting.append(line.json())  # here, for a thread busy with it would hold every call up meanwhile
            if not self._work.is_set():
                self._work.set()
        for observer in self._observers:
            observer(line)

    def close(self, timeout_s: float = 5.0) -> None:
        """Write what waits, then close the sinks; what is not written within `timeout_s` seconds is lost."""
        self._closing.set()
        self._work.set()
        self._writer.join(timeout_s)

    def _write_all(self) -> None:
        while not self._closing.is_set():
            self._work.wait()
            self._closing.wait(self._pause_s)
            self._work.clear()
            self._drain()
        self._drain()
        for sink in self._sinks:
            sink.close()

    def _drain(self) -> None:
        lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not lines:
            return
        text = "\n".join(lines) + "\n"
        for sink in self._sinks:
            try:
                sink.write(text)
            except (OSError, ValueError):
                self.lost += len(lines)
                _log.error("audit: %d lines lost, a sink cannot write", len(lines))
