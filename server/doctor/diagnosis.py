"""The walk: from what a client would send, over the network it would use, to a tool call that the tenant answers."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.credentials.parsing import Credentials, find_credential
from server.doctor import network
from server.doctor.client_setup import LocalSetup, RemoteSetup, Setup
from server.doctor.connection import find_proxy, open_client
from server.doctor.failures import translate_failures
from server.doctor.mcp_client import McpClient, greet
from server.doctor.results import Broken, Kind, Step, blame_refusal
from server.identity.token_format import parse_token
from server.tenants.domain import find_fault
from tools.refusals import Code, ToolError

STEPS = (
    "config",
    "headers",
    "domain",
    "address",
    "name",
    "connect",
    "server",
    "token",
    "organisation",
    "role",
    "tenant",
)

_JUDGED: Mapping[Kind, tuple[str, ...]] = {
    Kind.TOKEN: ("token",),
    Kind.ORGANISATION: ("token", "organisation"),
    Kind.ROLE: ("token", "organisation", "role"),
}
"""The server judges in this order: the last one failed when it refuses for a reason of that kind, the others passed."""


class Ended(Exception):
    """The walk went as far as it could."""


@dataclass(slots=True)
class _Found:
    said: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One examination.

    Parameters:
        tell: is told of every step as soon as it is known.
        begin: is told of every step that may take a while, before it.
        trust: CA file that alone may vouch for the server's host.
        now: seconds since the epoch, by this machine's clock.
    """

    tell: Callable[[Step], None]
    begin: Callable[[str], None] = lambda _name: None
    trust: Path | None = None
    now: Callable[[], float] = time.time

    async def along(self, find: Callable[[], Setup]) -> None:
        """Walk until the tenant has answered or something is broken.

        Parameters:
            find: what the client makes of its file.
        """
        try:
            with self._step("config") as found:
                setup = find()
                found.said = _describe_setup(setup)
            with self._step("headers") as found:
                credentials = _read_credentials(setup)
                found.said = f"one token arrives ({credentials.kind})"
            with self._step("domain") as found:
                found.said = _read_domain(setup)
            await (
                self._remote(setup, credentials) if isinstance(setup, RemoteSetup) else self._local(setup, credentials)
            )
        except Ended:
            return

    async def _remote(self, setup: RemoteSetup, credentials: Credentials) -> None:
        with self._step("address") as found:
            parts = network.parse_address(setup.url)
            found.said = setup.url
        with self._step("name") as found:
            proxy = find_proxy(setup.url)
            found.said = await network.look_up(parts.hostname or "") if proxy is None else "left to the proxy"
        with self._step("connect") as found:
            found.said = await (
                network.connect(parts, self.trust) if proxy is None else network.connect_to_proxy(proxy)
            )
        async with open_client(setup, self.trust) as client:
            await self._talk(client, credentials)

    async def _local(self, setup: LocalSetup, credentials: Credentials) -> None:
        try:
            async with open_client(setup) as client:
                await self._talk(client, credentials)
        except OSError:
            broken = Broken(Kind.CONFIG, "no_command", f"{setup.command[0]} cannot be started.", "Check its path.")
            self.tell(broken.step("server"))

    async def _talk(self, speech: McpClient, credentials: Credentials) -> None:
        with self._step("server") as found, translate_failures():
            who = (await greet(speech)).get("serverInfo", {})
            tools = (await speech.ask("tools/list", {})).get("tools", [])
            found.said = f"{who.get('name')} {who.get('version')} answers and lists {len(tools)} tools"
            verdict = await _call_tool(speech, "check_connection")
            if (refusal := _read_refusal(verdict)) is not None and refusal.kind not in _JUDGED:
                raise refusal
        if refusal is not None:
            self._refuse(refusal, credentials)
        self._accept(verdict.get("data", {}), len(tools))
        await self._ask_tenant(speech, tools)

    def _refuse(self, refusal: Broken, credentials: Credentials) -> None:
        *passed, last = _JUDGED[refusal.kind]
        for name in passed:
            self.tell(Step(name, True, "accepted"))
        self.tell(self._by_the_clock(refusal, credentials).step(last))
        raise Ended

    def _by_the_clock(self, broken: Broken, credentials: Credentials) -> Broken:
        if broken.reason not in (Code.TOKEN_EXPIRED, "not_yet_valid"):
            return broken
        try:
            claims = parse_token(credentials.token.reveal()).claims
        except ToolError:
            return broken
        born, ends = (claims.get(name) for name in ("iat", "exp"))
        if broken.reason == "not_yet_valid" or (isinstance(ends, int | float) and ends > self.now()):
            said = f"By this machine's clock the token is good ({born} to {ends}), by the server's it is not."
            return Broken(Kind.TOKEN, "clock_skew", said, "Set the clock: one of the two machines has the wrong time.")
        return broken

    def _accept(self, who: Mapping[str, Any], tools: int) -> None:
        self.tell(Step("token", True, f"genuine, for {who.get('subject')}, good until {who.get('expires_at')}"))
        self.tell(Step("organisation", True, f"{who.get('organisation')} at {who.get('api_domain')}"))
        with self._step("role") as found:
            if tools <= 1:
                raise Broken(
                    Kind.ROLE, "no_role", "The token has no role here, so it can use no tool.", "Mint one with a role."
                )
            found.said = f"{', '.join(who.get('roles', ()))} ({who.get('mode')})"

    async def _ask_tenant(self, speech: McpClient, tools: list[Mapping[str, Any]]) -> None:
        names = [str(tool.get("name")) for tool in tools if not tool.get("inputSchema", {}).get("required")]
        asked = next((name for name in names if name.startswith("list_")), None)
        if asked is None:
            return
        with self._step("tenant") as found, translate_failures():
            begun = time.monotonic()
            refusal = _read_refusal(await _call_tool(speech, asked))
            if refusal is not None:
                raise refusal
            found.said = f"{asked} answered in {(time.monotonic() - begun) * 1000:.0f} ms"

    @contextmanager
    def _step(self, name: str) -> Iterator[_Found]:
        found = _Found()
        self.begin(name)
        try:
            yield found
        except Broken as broken:
            self.tell(broken.step(name))
            raise Ended from None
        self.tell(Step(name, True, found.said))


async def _call_tool(speech: McpClient, tool: str) -> Mapping[str, Any]:
    result = await speech.ask("tools/call", {"name": tool, "arguments": {}})
    envelope: Mapping[str, Any] = result.get("structuredContent", {})
    return envelope


def _read_refusal(envelope: Mapping[str, Any]) -> Broken | None:
    return None if envelope.get("ok") else blame_refusal(envelope.get("error", {}))


def _describe_setup(setup: Setup) -> str:
    return f"leads to {setup.url}" if isinstance(setup, RemoteSetup) else f"starts {setup.command[0]}"


def _read_credentials(setup: Setup) -> Credentials:
    if any(value.lower().startswith("bearer bearer ") for value in setup.credentials().authorization):
        said = "The Authorization header says Bearer twice: the variable that holds the token begins with it."
        raise Broken(Kind.TOKEN, "bearer_twice", said, "Set NUDJ_MCP_TOKEN to the token alone.")
    try:
        return find_credential(setup.credentials())
    except ToolError as refusal:
        raise blame_refusal(refusal.error("")) from None


def _read_domain(setup: Setup) -> str:
    values = setup.credentials().domain
    if not values and isinstance(setup, RemoteSetup) and "/t/" in setup.url:
        return "named by the URL"
    if len(values) != 1:
        code = Code.DOMAIN_CONFLICT if values else Code.DOMAIN_MISSING
        raise blame_refusal(ToolError(code, "x-api-domain does not arrive exactly once.").error(""))
    wrong = find_fault(values[0])
    if wrong is not None:
        raise Broken(Kind.ORGANISATION, wrong.reason, wrong.message, wrong.hint)
    return values[0]
