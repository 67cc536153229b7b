"""One tool call as either revision of the protocol writes it over HTTP, and whether an answer to it is right."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Wire = Literal["2025-11-25", "2026-07-28"]
WIRES: tuple[Wire, ...] = ("2025-11-25", "2026-07-28")

_META = "io.modelcontextprotocol/"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `marker` is text that every right answer to it has."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str
    marker: str


def call(wire: Wire, tool: str, credentials: Mapping[str, str], marker: str) -> Request:
    """A stateless tools/call for ten communities."""
    params: dict[str, Any] = {"name": tool, "arguments": {"limit": 10}}
    headers = {
        **credentials,
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": wire,
    }
    if wire == "2026-07-28":
        headers |= {"mcp-method": "tools/call", "mcp-name": tool}
        params["_meta"] = {
            f"{_META}protocolVersion": wire,
            f"{_META}clientInfo": {"name": "bench", "version": "1"},
            f"{_META}clientCapabilities": {},
        }
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return Request("POST", "/mcp", headers, json.dumps(message), marker)


def direct(credentials: Mapping[str, str], marker: str) -> Request:
    """The request that the call comes down to, sent to the tenant without a server between."""
    return Request("GET", "/api/v2/admin/communities?limit=10&skip=0", credentials, "", marker)


def check(request: Request, port: int, wanted: list[str]) -> int:
    """Send the request once and compare the ids it brings with those wanted.

    Returns: the size of the answer in bytes.

    Raises:
        RuntimeError: the answer is not right.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(request.method, request.path, request.body or None, dict(request.headers))
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    found = _ids(body.decode())
    if answer.status != 200 or found != wanted or request.marker not in body.decode():
        raise RuntimeError(f"a wrong answer from port {port}: {answer.status} {body[:600]!r}")
    return len(body)


def _ids(text: str) -> list[str] | None:
    """The ids of the communities in an answer: of the API, of this server or of a plain proxy, framed or not."""
    if text.startswith("event:"):
        text = next(line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: "))
    said = json.loads(text)
    if "result" in said:
        if said["result"].get("isError") or json.loads(said["result"]["content"][0]["text"]) is None:
            return None
        said = said["result"]["structuredContent"]
    items = said.get("data", said)
    return [item["id"] for item in items.get("items", items.get("edges", ()))]
