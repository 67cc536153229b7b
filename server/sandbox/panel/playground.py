"""One tool call against the MCP server, made with the signed-in person's session token and shown as it went."""

import json
from dataclasses import dataclass

from server.http.port import HttpError, Send
from server.sandbox.faults import Fault

_REVISION = "2025-11-25"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was sent and what came back, word for word except for the token."""

    request: str
    response: str


class Playground:
    """The way to the server; `url` and `send` are None until there is one."""

    def __init__(self) -> None:
        self.url: str | None = None
        self.send: Send | None = None

    async def call(self, tool: str, arguments: str, *, bearer: str, api_domain: str) -> Exchange:
        """Call a tool.

        Parameters:
            arguments: a JSON object, as typed.

        Raises:
            Fault: 400 when the arguments are not a JSON object or no server is connected.
        """
        if self.url is None or self.send is None:
            raise Fault(400, "No MCP server is connected to this panel.")
        try:
            given = json.loads(arguments or "{}")
        except (ValueError, RecursionError):
            raise Fault(400, "The arguments are not JSON.") from None
        if not isinstance(given, dict):
            raise Fault(400, "The arguments must be a JSON object, such as {}.")
        asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": given}}
        headers = {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": _REVISION,
            "x-api-domain": api_domain,
        }
        shown = _write_raw(
            f"POST {self.url}", {**headers, "authorization": "Bearer (this session's)"}, _write_pretty(asked)
        )
        sent = {**headers, "authorization": f"Bearer {bearer}"}
        try:
            answer = await self.send("POST", self.url, headers=sent, body=json.dumps(asked).encode())
        except HttpError as error:
            return Exchange(shown, f"No answer: {error.fault}")
        text = answer.body.decode("utf-8", "replace")
        return Exchange(shown, _write_raw(f"HTTP {answer.status}", dict(answer.headers), _unwrap(text)))


def _write_raw(line: str, headers: dict[str, str], body: str) -> str:
    return "\n".join([line, *(f"{name}: {value}" for name, value in headers.items()), "", body])


def _unwrap(text: str) -> str:
    """JSON made readable; anything else as it came."""
    try:
        return _write_pretty(json.loads(text))
    except ValueError:
        return text


def _write_pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
