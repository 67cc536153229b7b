"""`python -m scripts.roads install`, then `python -m scripts.roads record`: writes tests/roads/*.json anew.

Clients are brought into build/roads, each framework into an environment of its own. Recording happens in a network
namespace that has nothing but loopback (`unshare -n`), against `nudj-mcp serve --sandbox`; tokens become placeholders.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scripts.roads.clients import CLAUDE_CODE, CLIENTS, FRAMEWORKS, Client, Server
from scripts.roads.recording import Recorded, tap

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "roads"
DATA = ROOT / "tests" / "roads"

_NOISE = {"content-length", "connection"}
"""Headers that a replay writes anew."""


def install() -> None:
    """Bring what is not there yet."""
    subprocess.run(["sh", str(ROOT / "tests" / "clients" / "install")], check=True)
    for name, package in FRAMEWORKS.items():
        python = BUILD / name / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(BUILD / name)], check=True)
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", package], check=True)
    if not (BUILD / "node_modules").exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-save", "--prefix", str(BUILD), CLAUDE_CODE], check=True)


@contextmanager
def _serving(folder: Path) -> Iterator[dict[str, Any]]:
    """The server with its embedded tenant; what its tokens file says."""
    told = folder / "tokens.json"
    words = ["-m", "server", "serve", "--sandbox", "--port", "0", "--tokens", str(told)]
    with subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                if told.exists():
                    break
                asyncio.run(asyncio.sleep(0.1))
            yield json.loads(told.read_text())
        finally:
            process.terminate()


async def _record(client: Client, said: Mapping[str, Any], folder: Path) -> list[Recorded]:
    acme = said["organisations"]["acme"]
    port = int(said["mcp_url"].rpartition(":")[2].partition("/")[0])
    async with tap(port) as here:
        url = f"http://127.0.0.1:{here.port}/mcp"
        server = Server(url, acme["tokens"]["admin"], acme["api_domain"], folder, BUILD)
        process = await asyncio.create_subprocess_exec(
            *client.command(server),
            cwd=folder,
            env=client.surroundings(server),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        await asyncio.wait_for(process.communicate(client.lines(server)), 120)
        secrets = {server.token: "<token>", server.domain: "<domain>", f"127.0.0.1:{here.port}": "<host>"}
        return [_without(each, secrets) for each in here.requests]


def _without(one: Recorded, secrets: Mapping[str, str]) -> Recorded:
    def clean(text: str) -> str:
        for secret, placeholder in secrets.items():
            text = text.replace(secret, placeholder)
        return text

    headers = [(name, clean(value)) for name, value in one.headers if name not in _NOISE]
    return Recorded(one.method, clean(one.target), headers, one.body and clean(one.body.decode()).encode())


def _write(client: Client, requests: list[Recorded]) -> None:
    shown = [{**asdict(each), "body": each.body.decode()} for each in requests]
    text = json.dumps({"client": client.name, "version": client.version(BUILD), "requests": shown}, indent=1)
    if "eyJ" in text:
        raise RuntimeError(f"{client.name}: a token is left")
    DATA.mkdir(exist_ok=True)
    (DATA / f"{client.name}.json").write_text(text + "\n", "utf-8")
    print(f"{client.name}: {len(requests)} requests")


def record(names: list[str]) -> None:
    """Record the clients named, or all."""
    with tempfile.TemporaryDirectory() as name, _serving(Path(name)) as said:
        for client in CLIENTS:
            if names and client.name not in names:
                continue
            folder = Path(name) / client.name
            folder.mkdir()
            _write(client, asyncio.run(_record(client, said, folder)))


def main() -> None:
    """Install, or record."""
    parser = argparse.ArgumentParser(prog="python -m scripts.roads", description=__doc__)
    parser.add_argument("what", choices=["install", "record"])
    parser.add_argument("names", nargs="*", help="of clients; all by default")
    said = parser.parse_args()
    if said.what == "install":
        install()
    elif shutil.which("unshare") and not os.environ.get("ROADS_ALONE"):
        words = [
            "unshare",
            "-n",
            "sh",
            "-c",
            'ip link set lo up; exec "$0" "$@"',
            sys.executable,
            "-m",
            "scripts.roads",
        ]
        os.execvpe(words[0], [*words, *sys.argv[1:]], {**os.environ, "ROADS_ALONE": "1"})
    else:
        record(said.names)


if __name__ == "__main__":
    main()
