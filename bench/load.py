"""The load: wrk, written in C, so that what is measured is the server; every answer is looked at."""

import json
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
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


def load(requests: Sequence[Request], port: int, *, connections: int, seconds: int, folder: Path) -> Heard:
    """Ask over and over on kept connections, each asking one of `requests`, drawn by lot, when it is answered.

    Raises:
        RuntimeError: an answer was wrong or did not come.
    """
    described = folder / "requests.txt"
    described.write_text(f"{requests[0].marker}\n" + "".join(map(_described, requests)), "utf-8")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(_SCRIPT)]
    done = subprocess.run(
        pinned([*command, f"http://127.0.0.1:{port}", "--", str(described)], LOAD_CORE),
        capture_output=True,
        text=True,
        check=True,
    )
    said = next(line for line in done.stdout.splitlines() if line.startswith("JSON "))
    heard = Heard(**json.loads(said.removeprefix("JSON ")))
    if heard.wrong or heard.broken or not heard.calls:
        raise RuntimeError(f"port {port} under load: {heard}; refused: {_refused(folder / 'audit.jsonl')}")
    return heard


def _refused(audit: Path) -> Counter[str]:
    """What the server says that it refused, to tell a wrong answer from a busy machine."""
    time.sleep(1)  # lines are gathered before they are written
    lines = audit.read_text("ascii").splitlines() if audit.exists() else ()
    return Counter(code for line in lines if (code := json.loads(line)["code"]))


def _described(request: Request) -> str:
    headers = "".join(f"{name}\n{value}\n" for name, value in request.headers.items())
    return f"{request.method}\n{request.path}\n{len(request.headers)}\n{headers}{len(request.body)}\n{request.body}\n"
