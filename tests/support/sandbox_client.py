"""The embedded tenant as a test talks to it: over its own ASGI app, with any of its tokens."""

from typing import Any

import httpx

from server.sandbox.sandbox import Sandbox

PORT = 4999


class Tenants:
    """A fresh sandbox and a client of it."""

    def __init__(self, sandbox: Sandbox | None = None) -> None:
        self.sandbox = sandbox or Sandbox(port=PORT)
        self.tokens = self.sandbox.organisations_file()
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.sandbox.app))

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        organisation: str = "acme",
        token: str = "admin",
        at: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """One request to the Admin API of `at` (the organisation's own by default); `token` is a name or a token."""
        known = self.tokens[organisation]
        sent = {"authorization": f"Bearer {known['tokens'].get(token, token)}", **(headers or {})}
        base = self.sandbox.organisations[at or organisation].api_domain
        url = base.replace("/admin", "/analytics") + path if path.startswith("/users/details") else base + path
        return await self.http.request(method, url, headers=sent, **({} if body is None else {"json": body}))

    async def get(self, path: str, **how: Any) -> Any:
        """The answer to a GET that must succeed."""
        answer = await self.ask("GET", path, **how)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def first(self, path: str, **how: Any) -> Any:
        """The newest entity of a list."""
        return (await self.get(f"{path}?limit=1", **how))["edges"][0]


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and operation of an error answer, which must have exactly the documented members."""
    body = answer.json()
    assert set(body) == {"message", "code", "data"}
    assert set(body["data"]) == {"httpStatus", "path"}
    assert body["data"]["httpStatus"] == answer.status_code
    assert isinstance(body["message"], str)
    return answer.status_code, body["code"], body["data"]["path"]
