"""What the figures were measured on, so that a reader can tell what they are worth."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def described() -> dict[str, str]:
    """The machine and the versions that matter."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown"
    )
    memory = next(int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))
    packages = ", ".join(f"{name} {version(name)}" for name in ("mcp", "uvicorn", "httptools", "pydantic", "uvloop"))
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": f"{cpu}, {os.cpu_count()} cores",
        "memory": f"{memory / 1e6:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": packages,
        "load": f"{os.getloadavg()[0]:.1f} on average in the minute before the first round",
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8", "replace").splitlines()
