"""The short way and the SDK's way answer alike: the same requests to both, compared by status, headers and JSON."""

import json
import random
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server.assembly import deploy, load_files
from server.cli.local_stack import build_settings
from server.protocol.handlers import Protocol
from server.sandbox.sandbox import Sandbox
from server.serving.catalogue import WHOLE
from server.serving.listener import bind, listen, read_port
from server.settings import load_settings
from server.transports.fast_path import FastPath
from server.transports.http import Health, HttpOptions, build_app, read_request

VERSION, CAPABILITIES = "io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientCapabilities"
CLIENT, LEVEL = "io.modelcontextprotocol/clientInfo", "io.modelcontextprotocol/logLevel"


class Nowhere:
    """A sink that forgets."""

    def write(self, text: str) -> None:
        """Forget."""

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class Ways:
    """The two doors of one deployment, and the tokens that open them."""

    short: str
    long: str
    tokens: dict[str, Any]
    http: httpx2.AsyncClient
    fast_path: FastPath

    async def both(self, body: bytes, headers: dict[str, str]) -> tuple[httpx2.Response, httpx2.Response]:
        """The same request to both."""
        return (
            await self.http.post(self.short, content=body, headers=headers),
            await self.http.post(self.long, content=body, headers=headers),
        )


@asynccontextmanager
async def ways() -> AsyncIterator[Ways]:
    async with AsyncExitStack() as stack:
        tenant = stack.enter_context(bind("127.0.0.1", 0))
        sandbox = Sandbox(port=read_port(tenant))
        await stack.enter_async_context(listen(sandbox.app, tenant))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rates = {f"{who}_{what}": 1_000_000 for who in ("tenant", "caller") for what in ("rate", "burst")}
        settings = load_settings({**build_settings(sandbox, folder), **rates}, {})
        deployment = await stack.enter_async_context(deploy(settings, load_files(settings), WHOLE, Nowhere()))
        urls = []
        for calls in (deployment.calls, None):
            server = Protocol(deployment.calls, deployment.references, read_request).server()
            whole = build_app(server, deployment.gate.refusal, HttpOptions(), Health(lambda: True), calls)
            bound = stack.enter_context(bind("127.0.0.1", 0))
            await stack.enter_async_context(listen(whole, bound))
            urls.append(f"http://127.0.0.1:{read_port(bound)}/mcp")
        http = await stack.enter_async_context(httpx2.AsyncClient(timeout=20))
        yield Ways(urls[0], urls[1], sandbox.organisations_file(), http, FastPath(whole, deployment.calls, {}))


def said(answer: httpx2.Response) -> Any:
    """The JSON of an answer in either framing, without the ids that differ from request to request."""
    text = re.sub(r"[0-9a-f]{32}", "<request>", answer.text)
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        text = next(line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: "))
    try:
        return json.loads(text)
    except ValueError:
        return text


def alike(short: httpx2.Response, long: httpx2.Response) -> None:
    """Status, headers and JSON are the same."""
    assert short.status_code == long.status_code
    assert said(short) == said(long)
    varying = {"content-length"}  # key order differs, and with it nothing; ids are of one length
    assert {k: v for k, v in short.headers.items() if k not in varying} == {
        k: v for k, v in long.headers.items() if k not in varying
    }


METHODS = ["tools/call"] * 5 + ["tools/list", "ping", "tools/Call", "prompts/list"]
NAMES = ["list_communities", "list_challenges", "get_challenge", "check_connection", "list_tags", "nope", "delete_tag"]
ARGUMENTS: list[Any] = [{}, {"limit": 2}, {"limit": 0}, {"id": "f" * 24}, {"x": 1}, {"limit": "2"}]
IDS = [1, 2**40, "a", "", "ü", -1, 7.5, True, None]
ABLE: list[Any] = [{}, {}, {"elicitation": {}}, {"sampling": 3}, 5]
CLIENTS: list[Any] = [{"name": "t", "version": "1"}, {"name": "t"}, 7]
OLDER = ["2025-11-25", "2025-06-18", "2025-03-26", "1999-01-01"]
ACCEPTS = ["application/json, text/event-stream"] * 6 + ["application/json", "*/*", "text/html"]


class Maker:
    """Requests around the common form: mostly usual, each with some unusual thing about it."""

    def __init__(self, tokens: dict[str, Any], seed: int) -> None:
        self._random = random.Random(seed)
        self._tokens = tokens

    def request(self) -> tuple[bytes, dict[str, str]]:
        pick: Any = self._random.choice
        modern = self._random.random() < 0.5
        method = pick(METHODS)
        name = pick(
            [
                "list_communities",
                "list_challenges",
                "get_challenge",
                "check_connection",
                "list_tags",
                "nope",
                "delete_tag",
            ]
        )
        params: dict[str, Any] = {}
        if method == "tools/call":
            params = {
                "name": name,
                "arguments": pick(ARGUMENTS),
            }
        message: dict[str, Any] = {
            "jsonrpc": "2.0",
            "id": pick(IDS),
            "method": method,
        }
        headers = self._headers(modern, method, name)
        if modern:
            params["_meta"] = {
                VERSION: "2026-07-28",
                CAPABILITIES: pick(ABLE),
            }
            if pick([True, False]):
                params["_meta"][CLIENT] = pick(CLIENTS)
        if params or pick([True, False]):
            message["params"] = params
        self._spoil(message, params, headers)
        return self._written(message), headers

    def _headers(self, modern: bool, method: str, name: str) -> dict[str, str]:
        pick: Any = self._random.choice
        acme, globex = self._tokens["acme"], self._tokens["globex"]
        token = pick([acme["tokens"][kind] for kind in ("viewer", "manager", "expired", "forged")] + ["junk", "a b"])
        headers = {
            "authorization": f"Bearer {token}",
            "x-api-domain": pick([acme["api_domain"]] * 3 + [globex["api_domain"], "acme"]),
            "content-type": "application/json",
            "accept": pick(ACCEPTS),
            "mcp-protocol-version": "2026-07-28" if modern else pick(OLDER),
        }
        if modern:
            headers |= {"mcp-method": method, "mcp-name": name}
        return headers

    def _spoil(self, message: dict[str, Any], params: dict[str, Any], headers: dict[str, str]) -> None:
        match self._random.randrange(14):
            case 0:
                headers["mcp-method"] = "tools/list"
            case 1:
                headers["mcp-name"] = "get_challenge"
            case 2:
                params["arguments"] = self._random.choice([None, [], "x", {"limit": 1e400}, {"a": {"b": [1] * 50}}])
                message["params"] = params
            case 3:
                message["extra"] = 1
            case 4:
                message["jsonrpc"] = "1.0"
            case 5:
                more = {"progressToken": self._random.choice([1, "p", True, 2.5, None]), LEVEL: "debug"}
                params.setdefault("_meta", {}).update(more)
                message["params"] = params
            case 6:
                message["params"] = self._random.choice([[], "x", 5])
            case 7:
                headers["mcp-session-id"] = "stray"
            case 8:
                headers["traceparent"] = f"00-{'a' * 32}-{'b' * 16}-01"

    def _written(self, message: dict[str, Any]) -> bytes:
        text = json.dumps(message)
        match self._random.randrange(40):
            case 0:
                return text[:-1].encode()
            case 1:
                return b"\xef\xbb\xbf" + text.encode()
            case 2:
                return f"[{text}]".encode()
            case 3:
                return text.encode("utf-16")
            case 4:
                return text.replace('"limit": 2', '"limit": 1, "limit": 2').encode()
            case 5:
                return text.replace('"limit": 2', f'"limit": {"9" * 5000}').encode()
            case 6:
                return text.replace('"id": 1,', '"id": 1, "Method": "tools/list",').encode()
        return text.encode()


async def test_both_ways_answer_alike_to_generated_requests() -> None:
    async with ways() as doors:
        maker = Maker(doors.tokens, seed=20261124)
        for _ in range(1500):
            body, headers = maker.request()
            short, long = await doors.both(body, headers)
            try:
                alike(short, long)
            except AssertionError as fault:
                hidden = {k: v for k, v in headers.items() if k != "authorization"}
                raise AssertionError(f"{body[:600]!r} {hidden}") from fault


@pytest.mark.parametrize("name", ["list_challenges", "check_connection", "list_tags"])
@pytest.mark.parametrize("version", ["2025-06-18", "2025-11-25", "2026-07-28"])
async def test_the_common_request_takes_the_short_way(name: str, version: str) -> None:
    """Seen by its request id: the short way answers even where the SDK's endpoint is gone."""
    async with ways() as doors:
        acme = doors.tokens["acme"]
        headers = {
            "authorization": f"Bearer {acme['tokens']['viewer']}",
            "x-api-domain": acme["api_domain"],
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": version,
            "mcp-method": "tools/call",
            "mcp-name": name,
        }
        meta = {VERSION: version, CAPABILITIES: {}} if version == "2026-07-28" else {}
        params = {"name": name, "arguments": {}, "_meta": meta}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
        short, long = await doors.both(body, headers)
        alike(short, long)
        assert said(short)["result"]["structuredContent"]["ok"] is True


ROADS = Path(__file__).parent / "roads"
"""What real clients sent; `python -m scripts.roads record` writes it anew."""


async def test_recorded_requests_take_their_way_and_are_answered_alike() -> None:
    async with ways() as doors:
        for road in sorted(ROADS.glob("*.json")):
            for one in json.loads(road.read_text())["requests"]:
                if (one["method"], one["target"]) == ("POST", "/mcp"):
                    await _replay(one, doors, road.stem)


async def _replay(one: dict[str, Any], doors: Ways, road: str) -> None:
    """Short tools and the list of tools take the fast path, whatever else the client says."""
    acme = doors.tokens["acme"]
    filled = {"<token>": acme["tokens"]["viewer"], "<domain>": acme["api_domain"]}
    headers = {name: _fill(value, filled) for name, value in one["headers"] if name not in ("host", "accept-encoding")}
    body = one["body"].encode()
    message = json.loads(body)
    name = message.get("params", {}).get("name")
    short, long = await doors.both(body, headers)
    if name != "report_points":  # the moment of asking is in its answer
        alike(short, long)
    scope = {"headers": [(name.encode(), value.encode()) for name, value in headers.items()]}
    direct = message["method"] == "tools/list" or name == "list_communities"
    assert (doors.fast_path._read(scope, body) is not None) is direct, (road, message["method"], name)


def _fill(text: str, values: dict[str, str]) -> str:
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text
