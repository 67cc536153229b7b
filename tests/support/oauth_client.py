"""A person who connects a program by OAuth, and the program: both over real HTTP, as far as a test lets them."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

from server.sandbox.accounts import Account
from server.sandbox.sandbox import Sandbox
from tests.support.sandbox_client import PORT, Tenants

DOOR = "http://127.0.0.1:4998"
"""Where the MCP server would be."""

CALLBACK = "http://127.0.0.1:7777/callback"


class Form(HTMLParser):
    """The first form of a page: where it goes and what is in it before anybody fills it in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.choices: dict[str, list[str]] = {}
        self._select: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See HTMLParser."""
        given = dict(attrs)
        name = given.get("name") or ""
        match tag:
            case "form" if not self.action:
                self.action = given.get("action") or ""
            case "select":
                self._select = name
            case "option" if self._select and ("selected" in given or self._select not in self.fields):
                self.fields[self._select] = given.get("value") or ""
            case "input" if given.get("type") in ("radio", "checkbox"):
                self.choices.setdefault(name, []).append(given.get("value") or "")
                if "checked" in given:
                    self.fields[name] = given.get("value") or ""
            case "input" if name:
                self.fields[name] = given.get("value") or ""

    def handle_data(self, data: str) -> None:
        """An option without a value says it in its text."""
        if self._select and self.fields.get(self._select) == "" and data.strip() and self._select == "role":
            self.fields[self._select] = data.strip()


@dataclass
class Person:
    """Somebody with a browser of their own."""

    account: Account
    http: httpx.AsyncClient

    async def open(self, url: str, **headers: str) -> httpx.Response:
        """Follow a link to where it ends: a page, or the way out to a client's callback."""
        answer = await self.http.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
        while answer.status_code == 303 and answer.headers["location"].startswith("/"):
            answer = await self.http.get(urljoin(str(answer.url), answer.headers["location"]))
        return answer

    async def submit(self, page: httpx.Response, do: str, **fields: str | None) -> httpx.Response:
        """Send the page's form by one of its buttons, with some fields changed, or left out by None."""
        form = Form(page.text)
        filled = {name: value for name, value in (form.fields | fields | {"do": do}).items() if value is not None}
        url = urljoin(str(page.url), form.action)
        parts = urlsplit(url)
        sent = await self.http.post(url, data=filled, headers={"origin": f"{parts.scheme}://{parts.netloc}"})
        if sent.status_code == 303 and sent.headers["location"].startswith("/"):
            return await self.open(urljoin(url, sent.headers["location"]))
        return sent

    async def sign_in(self, url: str) -> httpx.Response:
        """Open a request to connect and sign in, if that is asked."""
        page = await self.open(url)
        if 'name="password"' not in page.text:
            return page
        return await self.submit(page, "sign-in", email=self.account.email, password=self.account.password)

    async def allow(self, url: str, organisation: str | None = None, **fields: str | None) -> dict[str, str]:
        """Allow, with an organisation chosen where there is a choice; what the client's callback is told."""
        page = await self.sign_in(url)
        chosen = {} if organisation is None else {"organisation": organisation}
        return told(await self.submit(page, "allow", **chosen, **fields))


@dataclass
class Program:
    """A public client."""

    http: httpx.AsyncClient
    issuer: str
    client_id: str
    redirect: str = CALLBACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def link(self, resource: str | None = f"{DOOR}/o/mcp", **more: str | None) -> str:
        """What the browser is opened with; parameters changed, added, or left out by None."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        asked: dict[str, Any] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "state": "the-state",
            "resource": resource,
        } | more
        kept = {name: value for name, value in asked.items() if value is not None}
        return f"{self.issuer}/oauth/authorize?{httpx.QueryParams(kept)}"

    async def ask(self, endpoint: str, fields: Mapping[str, str | None], **how: Any) -> httpx.Response:
        """One request to an endpoint, as this client."""
        sent: dict[str, str | None] = {"client_id": self.client_id, **fields}
        kept = {name: value for name, value in sent.items() if value is not None}
        return await self.http.post(f"{self.issuer}/oauth/{endpoint}", data=kept, **how)

    async def redeem(self, code: str, **more: str | None) -> httpx.Response:
        """The tokens for a code."""
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect}
        return await self.ask("token", fields | {"code_verifier": self.verifier} | more)

    async def refresh(self, token: str, **more: str | None) -> httpx.Response:
        """The tokens for a refresh token."""
        return await self.ask("token", {"grant_type": "refresh_token", "refresh_token": token} | more)


class Connecting:
    """A sandbox with its door known, in which people and programs meet."""

    def __init__(self, **how: Any) -> None:
        self.now = 0.0
        self.sandbox = Sandbox(port=PORT, clock=self.clock, **how)
        self.sandbox.oauth.resources.base = DOOR
        self.tenants = Tenants(self.sandbox)
        self.http = self.tenants.http
        self.issuer = self.sandbox.issuer

    def clock(self) -> float:
        """Real seconds, and what a test let pass."""
        return time.time() + self.now

    def person(self, email: str = "consultant@both.example") -> Person:
        """One of the seeded people, with an empty browser."""
        account = next(each for each in self.sandbox.accounts if each.email == email)
        return Person(account, httpx.AsyncClient(transport=httpx.ASGITransport(app=self.sandbox.app)))

    async def register(self, redirect: str = CALLBACK, **more: Any) -> httpx.Response:
        """A registration."""
        return await self.http.post(f"{self.issuer}/oauth/register", json={"redirect_uris": [redirect]} | more)

    async def program(self, redirect: str = CALLBACK) -> Program:
        """A registered client."""
        answer = await self.register(redirect, client_name="A program")
        assert answer.status_code == 201, answer.text
        return Program(self.http, self.issuer, answer.json()["client_id"], redirect)

    async def connect(self, organisation: str = "globex", **fields: str | None) -> tuple[Program, dict[str, Any]]:
        """A program that has been allowed, and its tokens."""
        program = await self.program()
        answered = await self.person().allow(program.link(), organisation, **fields)
        answer = await program.redeem(answered["code"])
        assert answer.status_code == 200, answer.text
        return program, answer.json()

    async def server(self, endpoint: str, fields: Mapping[str, str], secret: str | None = None) -> httpx.Response:
        """One request as the MCP server."""
        oauth = self.sandbox.oauth
        return await self.http.post(
            f"{self.issuer}/oauth/{endpoint}", data=dict(fields), auth=(oauth.client_id, secret or oauth.client_secret)
        )

    async def exchange(self, token: str, **more: str) -> httpx.Response:
        """A token for the Admin API in place of a client's."""
        access = "urn:ietf:params:oauth:token-type:access_token"
        kind = "urn:ietf:params:oauth:grant-type:token-exchange"
        fields = {"grant_type": kind, "subject_token": token, "subject_token_type": access}
        return await self.server("token", fields | {"audience": "nudj-admin-api"} | more)


def told(answer: httpx.Response) -> dict[str, str]:
    """What a redirect to a client's callback carries."""
    assert answer.status_code == 303, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def claims(token: str) -> dict[str, Any]:
    """What a token says."""
    middle = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return found
