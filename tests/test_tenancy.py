"""Nothing of one organisation ever reaches another: many generated calls at once, over every way in, judged apart."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from math import ceil

import anyio
import pytest

from server.pipeline import envelope
from server.protocol import schemas
from tests.support.access_oracle import TOOLS, Attempt, Oracle, Who
from tests.support.call_generator import Attempts
from tests.support.measurements import Figure
from tests.support.organisation_data import mark_of
from tests.support.raw_clients import LEGACY, MODERN, Heard, Http, Wire, child, speaking, streaming
from tests.support.scripted_servers import Peer, reply, site
from tests.support.shared_stack import World, beside
from tools import CATALOGUE

CALLS = int(os.environ.get("NUDJ_TENANCY_CALLS", "20000"))
SEED = os.environ.get("NUDJ_TENANCY_SEED", "a")


def consulted(world: World) -> Oracle:
    """An oracle that has read what both organisations hold now."""
    public = envelope.compact([schemas.describe_tool(tool).model_dump(mode="json") for tool in CATALOGUE])
    return Oracle(int(world.local.sandbox.issuer.rpartition(":")[2]), world.organisations, public)


@pytest.fixture(scope="module")
def oracle(world: World) -> Oracle:
    """The oracle, consulted before anything is called."""
    return consulted(world)


@dataclass
class Record:
    """What came of all calls."""

    oracle: Oracle
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    def judge(self, way: str, attempt: Attempt, heard: Heard, expected: str | None = None) -> None:
        """Compare one answer with what the oracle says."""
        verdict = "404" if heard.status == 404 and not heard.message else _verdict(attempt, heard)
        expected = expected or self.oracle.judge(attempt)
        self.verdicts[way, verdict] += 1
        if verdict != expected:
            self.wrong.append(f"{way}: {attempt}: {verdict}, not {expected}: {heard.raw[-600:]!r}")
        if attempt.tool == "tools/list" and verdict == "ok":
            shown = {tool["name"] for tool in heard.message["result"]["tools"]}.intersection(TOOLS)
            if shown != self.oracle.shown(attempt.who):
                self.wrong.append(f"{way}: {attempt}: shown {shown ^ self.oracle.shown(attempt.who)}")
        foreign = self.oracle.foreign(attempt, heard.raw)
        if foreign:
            self.leaks.append(f"{way}: {attempt}: {foreign}")

    def read_all(self, who: Who, lanes: list[Attempts], wire: Wire) -> None:
        """Read everything that came over a connection, asked for or not."""
        said = [attempt.arguments for lane in lanes for attempt in lane.made]
        foreign = self.oracle.foreign(Attempt(who, "", {"said": said}), b"\n".join(wire.raw))
        self.leaks += [f"on a connection of {who}: {foreign}"] if foreign else []

    def told(self) -> str:
        """Counts by way and verdict."""
        lines = []
        for way in sorted({way for way, _ in self.verdicts}):
            counts = {verdict: count for (one, verdict), count in self.verdicts.most_common() if one == way}
            lines.append(f"{way}: {sum(counts.values())} calls: {counts}")
        return "\n".join(lines)


def _verdict(attempt: Attempt, heard: Heard) -> str:
    return "ok" if attempt.tool == "tools/list" and "result" in heard.message else heard.code


def headers_of(world: World, who: Who) -> dict[str, str]:
    """A config as headers."""
    other = next(name for name in world.organisations if name != who.organisation)
    said = {"x-toolsets": "all"}
    match who.token:
        case "none":
            pass
        case "garbage":
            said["authorization"] = "Bearer not-a-token"
        case "two":
            said["authorization"] = f"Bearer {world.token('admin', who.organisation)}"
            said["x-api-token"] = world.token("x_api_token", other)
        case "x_api_token":
            said["x-api-token"] = world.token("x_api_token", who.organisation)
        case name:
            said["authorization"] = f"Bearer {world.token(name, who.organisation)}"
    if who.domain is not None:
        known = world.domain(who.organisation)
        odd = {"nosuch": known.replace(who.organisation, "nosuch"), "malformed": known + "/"}
        said["x-api-domain"] = odd.get(who.domain) or world.domain(who.domain)
    return said if who.mode is None else said | {"x-agent-mode": who.mode}


def message(attempt: Attempt) -> tuple[str, Mapping[str, object]]:
    """Method and params; what changes something asks for progress too."""
    if attempt.tool == "tools/list":
        return "tools/list", {}
    params: dict[str, object] = {"name": attempt.tool, "arguments": dict(attempt.arguments)}
    return "tools/call", params | ({"_meta": {"progressToken": 1}} if attempt.tool == "create_challenge" else {})


async def over_http(world: World, http: Http, record: Record, version: str, count: int, seed: str) -> None:
    """One worker; the ids of its requests are everybody's ids."""
    attempts = Attempts(record.oracle, seed)
    for number in range(count):
        attempt = attempts.by(attempts.anyone())
        method, params = message(attempt)
        heard = await http.ask(
            method,
            params,
            headers=headers_of(world, attempt.who),
            version=version,
            id_=number % 3 or "1",
            path="/mcp" if attempt.who.path is None else f"/t/{attempt.who.path}/mcp",
        )
        record.judge(f"/mcp {version}", attempt, heard)


async def on_wire(world: World, wire: Wire, way: str, who: Who, record: Record, attempts: Attempts, ids: range) -> None:
    """One worker on a connection that has an owner; over SSE others try to speak on it too."""
    for number in ids:
        if way == "/sse" and attempts.chance(0.05):
            thief = attempts.by(Who(who.organisation, "moderator", who.organisation))
            method, params = message(thief)
            heard = await wire.ask(method, params, id_=f"stolen-{number}", headers=headers_of(world, thief.who))
            record.judge(way, thief, heard, "404" if headers_differ(world, thief.who, who) else None)
            continue
        attempt = attempts.by(who)
        method, params = message(attempt)
        record.judge(way, attempt, await wire.ask(method, params, id_=number, headers=headers_of(world, who)))


def headers_differ(world: World, one: Who, other: Who) -> bool:
    """Whether two callers present different credentials or name different domains."""
    kept = ("authorization", "x-api-token", "x-api-domain")
    mine, theirs = headers_of(world, one), headers_of(world, other)
    return any(mine.get(name) != theirs.get(name) for name in kept)


async def over_streams(world: World, record: Record, count: int, seed: str) -> None:
    """Stream after stream, each of somebody else, each used by four workers at once."""
    attempts = Attempts(record.oracle, seed)
    for number in range(0, count, 40):
        who = attempts.someone()
        lanes = [Attempts(record.oracle, f"{seed}:{number}:{lane}") for lane in range(4)]
        async with streaming(world.origin, headers_of(world, who)) as stream:
            await stream.ask("ping", headers=headers_of(world, who))
            async with anyio.create_task_group() as tasks:
                for lane, mine in enumerate(lanes):
                    ids = range(lane * 10 + 1, min(lane * 10 + 10, count - number) + 1)
                    tasks.start_soon(on_wire, world, stream, "/sse", who, record, mine, ids)
        record.read_all(who, lanes, stream)


async def over_child(world: World, record: Record, who: Who, count: int, seed: str) -> None:
    """One child process, used by two workers at once."""
    lanes = [Attempts(record.oracle, f"{seed}:{lane}") for lane in range(2)]
    async with child(world, headers_of(world, who)) as here:
        await here.ask("ping")
        async with anyio.create_task_group() as tasks:
            for lane, mine in enumerate(lanes):
                ids = range(lane * count // 2 + 1, (lane + 1) * count // 2 + 1)
                tasks.start_soon(on_wire, world, here, "stdio", who, record, mine, ids)
    record.read_all(who, lanes, here)


CHILDREN = (
    Who("acme", "manager", "acme"),
    Who("globex", "manager", "globex"),
    Who("acme", "community", "acme", None, "planner"),
    Who("globex", "x_api_token", "globex"),
    Who("acme", "admin", "globex"),
    Who("globex", "expired", "globex"),
)


@pytest.mark.timeout(600)
async def test_no_call_of_many_gets_a_byte_or_a_verdict_that_is_not_its_own(
    world: World, oracle: Oracle, figure: Figure
) -> None:
    record = Record(oracle)
    http_each, streams_each = ceil(CALLS * 0.72 / 24), ceil(CALLS * 0.18 / 4)
    child_each = ceil(CALLS * 0.10 / len(CHILDREN))
    async with AsyncExitStack() as stack, anyio.create_task_group() as tasks:
        http = await stack.enter_async_context(speaking(world.origin))
        for lane in range(24):
            version = (MODERN, LEGACY)[lane % 2]
            tasks.start_soon(over_http, world, http, record, version, http_each, f"{SEED}:http:{lane}")
        for lane in range(4):
            tasks.start_soon(over_streams, world, record, streams_each, f"{SEED}:sse:{lane}")
        for who in CHILDREN:
            seed = f"{SEED}:{who.organisation}:{who.token}"
            tasks.start_soon(over_child, world, record, who, child_each, seed)
    figure(record.told())
    assert not record.leaks, f"{len(record.leaks)} leaks: " + "\n".join(record.leaks[:5])
    assert not record.wrong, f"{len(record.wrong)} wrong verdicts: " + "\n".join(record.wrong[:5])
    assert record.verdicts.total() >= CALLS


@pytest.mark.parametrize("version", [MODERN, LEGACY])
async def test_two_tenants_with_the_same_request_id_at_once_get_each_its_own_answer(world: World, version: str) -> None:
    async with (
        site(then=_slowly(world, "globex")) as slow,
        beside(world, connect_to={"globex": f"127.0.0.1:{slow.port}"}) as origin,
        speaking(origin) as http,
        streaming(origin, world.headers("viewer", "globex")) as stream,
    ):
        answers: dict[str, Heard] = {}

        async def ask(name: str, organisation: str) -> None:
            headers = world.headers("viewer", organisation)
            if name == "stream":
                answers[name] = await stream.call("get_theme", {}, headers=headers, id_=7)
            else:
                answers[name] = await http.call("get_theme", {}, headers=headers, id_=7, version=version)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, "slow", "globex")
            tasks.start_soon(ask, "stream", "globex")
            await anyio.sleep(0.1)
            tasks.start_soon(ask, "fast", "acme")
            tasks.start_soon(ask, "fast again", "acme")
    for name, heard in answers.items():
        assert heard.message["id"] == 7
        assert heard.code == "ok"
        assert (mark_of("globex") in repr(heard.raw)) is (name in ("slow", "stream"))


def _slowly(world: World, organisation: str) -> Peer:
    body = json.dumps({"theme": {"font": {"family": mark_of(organisation)}}}).encode()

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await anyio.sleep(0.5)
        writer.write(reply(body, "content-type: application/json"))
        await writer.drain()

    return answer


async def test_nobody_speaks_on_a_stream_while_its_owner_does(world: World) -> None:
    async with streaming(world.origin, world.headers("manager", "acme")) as stream:
        await stream.ask("ping")
        heard: list[tuple[str, Heard]] = []

        async def speak(number: int, organisation: str) -> None:
            headers = world.headers("manager", organisation)
            method = {"name": "list_challenges", "arguments": {"limit": 2}}
            heard.append((organisation, await stream.ask("tools/call", method, id_=number, headers=headers)))

        async with anyio.create_task_group() as tasks:
            for number in range(60):
                tasks.start_soon(speak, number, ("acme", "globex")[number % 2])
    assert all(answer.status == 404 for organisation, answer in heard if organisation == "globex")
    assert all(answer.code == "ok" for organisation, answer in heard if organisation == "acme")
    assert len(stream.raw) == 32  # hello, ping and the owner's thirty


def test_after_all_that_each_tenant_holds_what_its_own_people_wrote(world: World, oracle: Oracle) -> None:
    now = consulted(world)
    for name, held in now.holdings.items():
        assert oracle.holdings[name].entities.keys() <= held.entities.keys(), "something was deleted"
        written = repr(held.entities)
        assert mark_of(name) in written
        assert not [other for other in now.holdings if other != name and mark_of(other) in written]
