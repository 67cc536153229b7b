"""A tenant that says more than it should: secrets stand in every object of every answer."""

import json
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OPEN = "headers"
"""A member whose names are the organisation's own words, and are given; its values are judged in test_tool_settings."""


class Planting:
    """The tenant's application with the secrets in its answers.

    Parameters:
        secrets: what is put into every object, under names that no document knows.
    """

    def __init__(self, app: ASGIApp, secrets: dict[str, str]) -> None:
        self._app = app
        self._secrets = secrets
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self.requests += 1
        said: list[Message] = []

        async def keep(message: Message) -> None:
            said.append(message)

        await self._app(scope, receive, keep)
        body = b"".join(message.get("body", b"") for message in said)
        if body:
            body = json.dumps(self._planted(json.loads(body))).encode()
        headers = [pair for pair in said[0]["headers"] if pair[0] != b"content-length"]
        await send({**said[0], "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    def _planted(self, value: Any, name: str = "") -> Any:
        if isinstance(value, list):
            return [self._planted(each, name) for each in value]
        if not isinstance(value, dict) or name == _OPEN:
            return value
        return self._secrets | {key: self._planted(each, key) for key, each in value.items()}
