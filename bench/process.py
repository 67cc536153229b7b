"""A child process on a core of its own, and what it has cost so far."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
SERVER_CORE, LOAD_CORE = 1, 0
"""Servers are measured on one core; what asks them and what answers them shares the other."""

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """One running program."""

    name: str
    pid: int
    port: int

    def cpu_s(self) -> float:
        """Processor seconds used since its start, in and out of the kernel, all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) * _TICK_S

    def rss_mb(self) -> float:
        """Memory resident now."""
        lines = Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def files(self) -> int:
        """Open file descriptors."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


@contextmanager
def running(
    name: str, command: Sequence[str], port: int, *, core: int, log: Path, environment: Mapping[str, str] = {}
) -> Iterator[Process]:
    """Run a program that listens on `port` while the block runs; its output goes to `log`.

    Raises:
        RuntimeError: it ended, or did not listen within 30 seconds.
    """
    with log.open("wb") as said:
        child = subprocess.Popen(
            pinned(command, core), stdout=said, stderr=said, cwd=ROOT, env={**os.environ, **environment}
        )
    try:
        _wait(name, child, port, log)
        yield Process(name, child.pid, port)
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def pinned(command: Sequence[str], core: int) -> list[str]:
    """The command, to be run on one core only where there is more than one."""
    return ["taskset", "-c", str(core), *command] if len(os.sched_getaffinity(0)) > 1 else list(command)


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules."""
    return [sys.executable, "-m", name, *arguments]


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def _wait(name: str, child: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    for _ in range(300):
        if child.poll() is not None:
            raise RuntimeError(f"{name} ended at once:\n{log.read_text('utf-8', 'replace')[-2000:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{name} does not listen:\n{log.read_text('utf-8', 'replace')[-2000:]}")
