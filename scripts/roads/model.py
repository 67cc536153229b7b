"""A stand-in for the Messages API on loopback: asks for the scripted tools one after the other, then says it is done.

Arguments: port, script as JSON `[["mcp__nudj__list_communities", {}], ...]`.
"""

import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PORT, SCRIPT = int(sys.argv[1]), json.loads(sys.argv[2])


class Model(BaseHTTPRequestHandler):
    """Answers by how many tool results the conversation already holds."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Whatever is looked up is empty."""
        self._say(json.dumps({"data": []}), "application/json")

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

    def do_POST(self) -> None:
        """One turn."""
        asked = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        if not self.path.startswith("/v1/messages") or "count_tokens" in self.path:
            self._say(json.dumps({"input_tokens": 1}), "application/json")
            return
        message = _answer(asked)
        if asked.get("stream"):
            self._say("".join(_events(message)), "text/event-stream")
        else:
            self._say(json.dumps(message), "application/json")

    def _say(self, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    parts = [
        part
        for message in asked.get("messages", ())
        if isinstance(message["content"], list)
        for part in message["content"]
    ]
    turn = sum(part.get("type") == "tool_result" for part in parts)
    if turn < len(SCRIPT) and asked.get("tools"):
        name, arguments = SCRIPT[turn]
        block = {"type": "tool_use", "id": f"toolu_{turn:04d}", "name": name, "input": arguments}
        stop = "tool_use"
    else:
        block, stop = {"type": "text", "text": "done"}, "end_turn"
    return {
        "id": f"msg_{turn}",
        "type": "message",
        "role": "assistant",
        "model": asked.get("model"),
        "content": [block],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def _events(message: dict[str, Any]) -> Iterator[str]:
    """The message as a stream of server-sent events."""
    block = message["content"][0]
    begun: dict[str, Any]
    if block["type"] == "text":
        begun, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
    else:
        begun, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    for kind, said in (
        ("message_start", {"message": {**message, "content": [], "stop_reason": None}}),
        ("content_block_start", {"index": 0, "content_block": begun}),
        ("content_block_delta", {"index": 0, "delta": delta}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": message["stop_reason"]}, "usage": {"output_tokens": 1}}),
        ("message_stop", {}),
    ):
        yield f"event: {kind}\ndata: {json.dumps({'type': kind, **said})}\n\n"


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", PORT), Model).serve_forever()
