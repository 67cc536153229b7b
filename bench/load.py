"""The load: wrk, written in C, so that what is measured is the server; every answer is looked at."""

import json
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.process import LOAD_CORE, pinned
from bench.wires import Request

_SCRIPT = Path(__file__).parent / "load.lua"


@dataclass(frozen=True, slots=True)
class Heard:
    """What the load generator saw; times in microseconds."""

    calls: int
    micros: int
    p50: int
    p99: int
    wrong: int
    broken: int

    @property
    def per_second(self) -> float:
        """Calls a second."""
        return self.calls / self.micros * 1e6


@contextmanager
def loading(
    requests: Sequence[Request], port: int, *, connections: int, seconds: int, pause_ms: int = 0
) -> Iterator[Callable[[], Heard]]:
    """Ask over and over on kept connections, each asking one of `requests`, drawn by lot, when it is answered.

    Parameters:
        seconds: how long, whatever the block does.
        pause_ms: milliseconds that each connection rests after an answer, on average.

    Yields: waits for the end and tells what was heard.
    """
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as described:
        described.write(f"{requests[0].marker}\n" + "".join(map(_described, requests)))
        described.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(_SCRIPT)]
        command += [f"http://127.0.0.1:{port}", "--", described.name, str(pause_ms)]
        with subprocess.Popen(pinned(command, LOAD_CORE), stdout=subprocess.PIPE, text=True) as child:
            yield lambda: _heard(child.communicate()[0])


def load(requests: Sequence[Request], port: int, *, connections: int, seconds: int, folder: Path) -> Heard:
    """The same without pauses, and alone.

    Parameters:
        folder: where the server's audit file is.

    Raises:
        RuntimeError: an answer was wrong or did not come.
    """
    with loading(requests, port, connections=connections, seconds=seconds) as ended:
        heard = ended()
    if heard.wrong or heard.broken or not heard.calls:
        raise RuntimeError(f"port {port} under load: {heard}; refused: {_refused(folder / 'audit.jsonl')}")
    return heard


def _heard(output: str) -> Heard:
    said = next(line for line in output.splitlines() if line.startswith("JSON "))
    return Heard(**json.loads(said.removeprefix("JSON ")))


def _refused(audit: Path) -> Counter[str]:
    """What the server says that it refused, to tell a wrong answer from a busy machine."""
    time.sleep(1)  # lines are gathered before they are written
    lines = audit.read_text("ascii").splitlines() if audit.exists() else ()
    return Counter(code for line in lines if (code := json.loads(line)["code"]))


def _described(request: Request) -> str:
    headers = "".join(f"{name}\n{value}\n" for name, value in request.headers.items())
    return f"{request.method}\n{request.path}\n{len(request.headers)}\n{headers}{len(request.body)}\n{request.body}\n"
