"""FastMCP beside us: installed into a venv of its own, given the same twenty operations of the same API document."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.issuer import Issuer
from bench.process import SERVER_CORE, Process, running
from bench.product import TOOLS

_DOCUMENT = Path(__file__).parent.parent / "tools" / "api" / "openapi.json"
_SERVER = Path(__file__).parent / "peer_server.py"
_VERSION = "4.1.6"
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})


def installed(folder: Path) -> Path:
    """The Python that has FastMCP 4, with the loop and parser that this server uses too; made on the first run.

    The second step takes this very release also where the package index lacks the newest of what it depends on.
    """
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, "fastmcp>=4,<5", "uvloop", "httptools"], check=True)
        subprocess.run([*install, "--no-deps", f"fastmcp=={_VERSION}", f"fastmcp-slim=={_VERSION}"], check=True)
    return python


def version(python: Path) -> str:
    """Which FastMCP that is."""
    command = [str(python), "-c", "import fastmcp; print(fastmcp.__version__)"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@contextmanager
def peer(
    python: Path, folder: Path, port: int, tenant_port: int, issuer: Issuer, document: Mapping[str, Any]
) -> Iterator[Process]:
    """FastMCP, serving on `port` while the block runs."""
    told = folder / "peer.json"
    told.write_text(
        json.dumps(
            {
                "port": port,
                "document": document,
                "base_url": f"http://127.0.0.1:{tenant_port}/api/v2/admin",
                "public_key": issuer.pem(),
                "issuer": issuer.issuer,
                "audience": issuer.audience,
            }
        ),
        "utf-8",
    )
    command = [str(python), str(_SERVER), str(told)]
    with running("FastMCP", command, port, core=SERVER_CORE, log=folder / "peer.log") as process:
        yield process


def document(*, lean: bool) -> dict[str, Any]:
    """The API's document, cut to the operations of our twenty tools.

    Parameters:
        lean: cut it to small schemas without references too. In the other server's favour: with those of the API it
            works through every schema on every call of the current protocol, some 50 ms.
    """
    whole: dict[str, Any] = json.loads(_DOCUMENT.read_text("utf-8"))
    wanted = {operation.id for tool in TOOLS for operation in tool.operations}
    paths: dict[str, dict[str, Any]] = {}
    for path, item in whole["paths"].items():
        kept = {method: said for method, said in item.items() if method in _METHODS and said["operationId"] in wanted}
        if kept:
            paths[path] = {"parameters": item.get("parameters", []), **kept}
    if not lean:
        return {**whole, "paths": paths}
    shared = whole["components"]["parameters"]
    return {
        "openapi": whole["openapi"],
        "info": whole["info"],
        "paths": {path: _small_item(item, shared) for path, item in paths.items()},
    }


def _small_item(item: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    return {
        method: _small(item[method], [*item["parameters"], *item[method].get("parameters", ())], shared)
        for method in item.keys() & _METHODS
    }


def _small(operation: dict[str, Any], parameters: list[Any], shared: dict[str, Any]) -> dict[str, Any]:
    given = [shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in parameters]
    answer = {"description": "Success", "content": {"application/json": {"schema": {"type": "object"}}}}
    small = {
        "operationId": operation["operationId"],
        "summary": operation["summary"],
        "parameters": [{**each, "schema": {"type": each["schema"].get("type", "string")}} for each in given],
        "responses": {"200": answer},
    }
    if "requestBody" in operation:
        small["requestBody"] = {"content": {"application/json": {"schema": {"type": "object"}}}}
    return small
