"""Runs the Dockerfile's steps in a clean Debian root, for machines without Docker: build, then the image as it ships.

Needs root, debootstrap and Linux. The base is Debian's minimal system with its own Python rather than python:3.13-slim.
What the product then does in there - read-only, unprivileged, with loopback for a network - is `nudj-mcp demo --once`
(with a /tmp), and `nudj-mcp serve` (without one) until its health check passes.
"""

import argparse
import json
import os
import secrets
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
_SERVE = """
nudj-mcp serve & server=$!
for _ in $(seq 100); do {check} 2>/dev/null && break; sleep 0.1; done
{check} && kill $server && wait $server
"""
_CONFIGURED = {
    "NUDJ_MCP_AUTH_VERIFY": "keys",
    "NUDJ_MCP_AUTH_HMAC_FILE": "/etc/nudj-mcp/hmac.key",
    "NUDJ_MCP_TENANTS_FILE": "/etc/nudj-mcp/tenants.toml",
}
_TENANTS = """
[tenants.acme]
organisation = "5f5f5f5f5f5f5f5f5f5f5f5f"
api_domain = "https://acme.nudj.cx/api/v2/admin"
"""


@dataclass
class Stage:
    """One `FROM` and what followed: the root it filled and what it says of running it."""

    root: Path
    environment: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
    )
    folder: str = "/"
    user: str = "0"
    check: list[str] = field(default_factory=list)


class Rehearsal:
    """Follows a Dockerfile.

    Parameters:
        work: where roots are made.
        lent: folders of this machine that steps of the build may read (package indexes, certificates).
    """

    def __init__(self, work: Path, lent: list[Path]) -> None:
        self._work, self._lent = work, lent
        self._stages: dict[str, Stage] = {}

    def follow(self, dockerfile: str) -> Stage:
        """Run every step; gives the last stage."""
        for word, rest in _steps(dockerfile):
            print(f"{word} {rest}", flush=True)
            if word == "FROM":
                stage = self._begin(rest)
            else:
                self._step(stage, word, rest)
        return stage

    def run(self, stage: Stage, command: str, *, mounts: str = "", more: Mapping[str, str] = {}) -> None:
        """Run a command as the image would be run: read-only, as its user, with loopback for a network."""
        root = shlex.quote(str(stage.root))
        before = f"mount --bind {root} {root}; mount -o remount,bind,ro {root}; mount -t proc proc {root}/proc"
        said = (
            f"{before}; ip link set lo up; {mounts.format(root=root) or ':'}; exec {self._inside(stage, command, more)}"
        )
        subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "sh", "-ec", said], check=True)

    def _begin(self, rest: str) -> Stage:
        base = self._work / "base"
        if not base.exists():
            packages = "--include=python3,python3-venv,ca-certificates"
            subprocess.run(["debootstrap", "--variant=minbase", packages, "stable", str(base)], check=True)
        name = rest.partition(" AS ")[2] or "last"
        root = self._work / name
        shutil.rmtree(root, ignore_errors=True)
        subprocess.run(["cp", "-a", str(base), str(root)], check=True)
        self._stages[name] = Stage(root)
        return self._stages[name]

    def _step(self, stage: Stage, word: str, rest: str) -> None:
        match word:
            case "WORKDIR":
                stage.folder = rest
                (stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "COPY":
                self._copy(stage, rest.split())
            case "RUN":
                self._build(stage, rest)
            case "ENV":
                name, _, value = rest.partition("=")
                stage.environment[name] = value
            case "USER":
                stage.user = rest
            case "HEALTHCHECK":
                stage.check = json.loads(rest.removeprefix("CMD "))
            case "ENTRYPOINT" | "CMD" | "EXPOSE" | "STOPSIGNAL":
                pass
            case _:
                raise SystemExit(f"rehearse does not know {word}")

    def _copy(self, stage: Stage, words: list[str]) -> None:
        source = HERE.parent
        if words[0].startswith("--from="):
            source = self._stages[words.pop(0).removeprefix("--from=")].root
        *sources, target = words
        place = stage.root / stage.folder.lstrip("/") / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        taken = [str(source / each.lstrip("/")) for each in sources]
        target_is = ["-T", taken[0], str(place)] if len(taken) == 1 else ["-t", str(place), *taken]
        subprocess.run(["cp", "-a", *target_is], check=True)

    def _build(self, stage: Stage, command: str) -> None:
        lent = [path for path in (*self._lent, Path("/etc/resolv.conf")) if path.exists()]
        mounts = [f"mount -t proc proc {stage.root}/proc"]
        for path in lent:
            place = stage.root / str(path).lstrip("/")
            mounts.append(f"mkdir -p {place.parent if path.is_file() else place}")
            mounts += [f"touch {place}"] if path.is_file() else []
            mounts.append(f"mount --bind {path} {place}")
        asked = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_CERT_"))}
        said = " && ".join([*mounts, f"exec {self._inside(stage, command, asked)}"])
        subprocess.run(["unshare", "--mount", "--pid", "--fork", "sh", "-ec", said], check=True)

    def _inside(self, stage: Stage, command: str, more: Mapping[str, str]) -> str:
        settings = [f"{name}={value}" for name, value in {**stage.environment, **more}.items()]
        words = ["chroot", f"--userspec={stage.user}:{stage.user}", str(stage.root), "env", "-i", *settings]
        return shlex.join([*words, "sh", "-ec", f"cd {stage.folder} && {command}"])


def _steps(dockerfile: str) -> Iterator[tuple[str, str]]:
    for line in dockerfile.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


def main() -> None:
    """Rehearse, or end with the failing step's code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir(), "rehearsal"))
    parser.add_argument("--lend", type=Path, nargs="*", default=[], help="folders the build steps may read")
    said = parser.parse_args()
    said.work.mkdir(parents=True, exist_ok=True)
    rehearsal = Rehearsal(said.work, said.lend)
    image = rehearsal.follow((HERE / "Dockerfile").read_text("utf-8"))
    rehearsal.run(image, "id; ! touch /x; nudj-mcp demo --once", mounts="mount -t tmpfs tmpfs {root}/tmp")
    configured = image.root / "etc" / "nudj-mcp"
    configured.mkdir()
    (configured / "tenants.toml").write_text(_TENANTS, "utf-8")
    (configured / "hmac.key").write_text(secrets.token_hex(32), "ascii")
    rehearsal.run(image, _SERVE.format(check=shlex.join(image.check)), more=_CONFIGURED)
    print("\nThe image's steps ran, and what they made serves.")


if __name__ == "__main__":
    main()
