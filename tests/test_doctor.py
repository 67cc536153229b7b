"""Set-ups broken on purpose: each is named for what it is, by a walk that takes the way of a real call."""

import argparse
import asyncio
import datetime
import json
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from server.commands import doctor
from server.doctor.examination import STEPS, Walk
from server.doctor.steps import EXIT, Kind, Step
from tests.hosted import ROOT, Hosted, hosted
from tests.sites import reply, site

TOKEN = "aaa.bbb.ccc"
DOMAIN = "https://acme.nudj.cx/api/v2/admin"
REMOTE = {"type": "http", "url": "https://mcp.nudj.cx/mcp"}
BRIDGE = ("-y", "mcp-remote@0.15.1", "https://mcp.nudj.cx/mcp", "--header", f"x-api-domain:{DOMAIN}")


@pytest.fixture(scope="module")
def world() -> Iterator[Hosted]:
    """A deployment; globex's own API is down."""
    with hosted(unreachable="globex") as found:
        yield found


async def examined(folder: Path, block: Any, *words: str, around: Mapping[str, str] = {}, **walk: Any) -> list[Step]:
    """The steps of a walk from a client's file with this entry; text stands for the whole file."""
    file = folder / "client.json"
    file.write_text(block if isinstance(block, str) else json.dumps({"mcpServers": {"nudj": block}}))
    parser = argparse.ArgumentParser()
    doctor.add(parser.add_subparsers())
    arguments = parser.parse_args(["doctor", "--file", str(file), *words])
    steps: list[Step] = []
    await Walk(steps.append, arguments.trust, **walk).along(lambda: doctor.find(arguments, around))
    return steps


def broken(steps: list[Step]) -> tuple[str, Kind | None, str | None]:
    """Where it broke, whose business that is, and why; nothing but passes before it."""
    assert [step.good for step in steps] == [True] * (len(steps) - 1) + [False], steps
    assert [step.name for step in steps] == [name for name in STEPS if name in {step.name for step in steps}]
    last = steps[-1]
    assert last.said.endswith((".", ")")), last
    assert last.fix
    assert TOKEN not in last.said + last.fix
    return last.name, last.kind, last.reason


def remote(authorization: str | None = f"Bearer {TOKEN}", domain: str | None = DOMAIN) -> dict[str, Any]:
    said = {"Authorization": authorization, "x-api-domain": domain}
    return {**REMOTE, "headers": {name: value for name, value in said.items() if value is not None}}


def bridged(*headers: str, pin: str = "mcp-remote@0.15.1", **env: str) -> dict[str, Any]:
    words = [pin if word.startswith("mcp-remote") else word for word in BRIDGE]
    return {"command": "npx", "args": [*words, *headers], "env": env}


CONFIG: tuple[tuple[str, Any, str, Kind, str], ...] = (
    ("a file with a comma too many", '{"mcpServers": {},}', "config", Kind.CONFIG, "not_json"),
    ("a file without us", {"mcpServers": {"other": {}, "more": {}}}, "config", Kind.CONFIG, "no_entry"),
    ("a variable that is not set", remote("Bearer ${NOWHERE}"), "config", Kind.CONFIG, "unexpanded_variable"),
    (
        "a header split at its space",
        bridged("--header", "Authorization:", "Bearer", TOKEN),
        "config",
        Kind.CONFIG,
        "split_arguments",
    ),
    ("a header without a colon", bridged("--header", "Authorization"), "config", Kind.CONFIG, "no_colon"),
    ("a header file that is not there", bridged("--header-file", "/nowhere"), "config", Kind.CONFIG, "no_header_file"),
    ("a bridge with a known hole", bridged(pin="mcp-remote@0.1.15"), "config", Kind.CONFIG, "mcp_remote_unsafe"),
    ("a command that is not there", {"command": "nudj-mcq", "args": ["stdio"]}, "config", Kind.CONFIG, "no_command"),
    ("no token", remote(None), "headers", Kind.TOKEN, "credentials_missing"),
    ("nothing after Bearer", remote("Bearer "), "headers", Kind.TOKEN, "empty_after_split"),
    ("a line end in the token", remote("Bearer aaa.\nbbb.ccc"), "headers", Kind.TOKEN, "whitespace"),
    ("a password in place of a token", remote("Bearer hunter2"), "headers", Kind.TOKEN, "not_a_jwt"),
    ("a token without Bearer", remote(TOKEN), "headers", Kind.TOKEN, "not_bearer"),
    ("no domain", remote(domain=None), "domain", Kind.ORGANISATION, "domain_missing"),
    ("a domain that is only a host", remote(domain="acme.nudj.cx"), "domain", Kind.ORGANISATION, "no_scheme"),
    ("a domain without its path", remote(domain="https://acme.nudj.cx"), "domain", Kind.ORGANISATION, "missing_suffix"),
    ("a domain with a slash more", remote(domain=f"{DOMAIN}/"), "domain", Kind.ORGANISATION, "trailing_slash"),
    (
        "a plain http domain",
        remote(domain=DOMAIN.replace("https", "http")),
        "domain",
        Kind.ORGANISATION,
        "http_not_https",
    ),
    ("a URL without its scheme", {**remote(), "url": "mcp.nudj.cx/mcp"}, "address", Kind.CONFIG, "no_scheme"),
    ("a plain http URL", {**remote(), "url": "http://mcp.nudj.cx/mcp"}, "address", Kind.CONFIG, "http_not_https"),
    ("a URL without its path", {**remote(), "url": "https://mcp.nudj.cx"}, "address", Kind.CONFIG, "wrong_path"),
    ("a host nobody knows", {**remote(), "url": "https://mcp.nudj.invalid/mcp"}, "name", Kind.NETWORK, "dns"),
    ("a port nobody listens on", {**remote(), "url": "http://127.0.0.1:1/mcp"}, "connect", Kind.NETWORK, "refused"),
)


@pytest.mark.parametrize(
    ("block", "step", "kind", "reason"), [case[1:] for case in CONFIG], ids=[case[0] for case in CONFIG]
)
async def test_what_is_wrong_on_this_side_is_named(
    tmp_path: Path, block: Any, step: str, kind: Kind, reason: str
) -> None:
    whole = json.dumps(block) if isinstance(block, dict) and "mcpServers" in block else block
    assert broken(await examined(tmp_path, whole, around={"PATH": os.defpath})) == (step, kind, reason)


async def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    steps = await examined(tmp_path, "{}", "--file", str(tmp_path / "nowhere.json"))
    assert broken(steps) == ("config", Kind.CONFIG, "no_file")


async def test_each_client_is_followed_in_its_own_ways(tmp_path: Path) -> None:
    spaced = bridged("--header", "Authorization: Bearer ${NUDJ_MCP_TOKEN}")
    around = {"NUDJ_MCP_TOKEN": TOKEN}
    assert broken(await examined(tmp_path, spaced, "cursor", around=around))[2] == "split_arguments"
    assert broken(await examined(tmp_path, spaced, "claude-code", around=around))[0] in ("name", "server")
    literal = bridged("--header", "Authorization:${AUTH_HEADER}", AUTH_HEADER="Bearer ${NUDJ_MCP_TOKEN}")
    assert broken(await examined(tmp_path, literal, "claude-desktop", around=around))[2] == "unexpanded_variable"
    prompted = json.dumps({"servers": {"nudj": remote("Bearer ${input:nudj-token}")}})
    assert broken(await examined(tmp_path, prompted, "vscode"))[2] == "prompted"
    assert broken(await examined(tmp_path, prompted, "vscode", around=around))[0] in ("name", "server")


PAGES: tuple[tuple[str, bytes, Kind, str], ...] = (
    ("a web page", reply(b"<html>", "content-type: text/html"), Kind.CONFIG, "not_mcp"),
    ("another path", reply(b"", status="404 Not Found"), Kind.CONFIG, "wrong_path"),
    ("a redirect", reply(b"", "location: https://mcp.nudj.cx/mcp", status="308 Moved"), Kind.CONFIG, "redirect"),
    ("a wall before it", reply(b"", status="401 Unauthorized"), Kind.TOKEN, "http_401"),
    ("a host it does not serve", reply(b"", status="421 Misdirected"), Kind.SERVER, "host_not_served"),
    ("a balancer without a server", reply(b"", status="503 Unavailable"), Kind.SERVER, "http_503"),
    ("another protocol", b"220 smtp ready\r\n\r\n", Kind.NETWORK, "protocol"),
)


@pytest.mark.parametrize(("page", "kind", "reason"), [case[1:] for case in PAGES], ids=[case[0] for case in PAGES])
async def test_what_answers_in_place_of_the_server_is_named(
    tmp_path: Path, page: bytes, kind: Kind, reason: str
) -> None:
    async with site(page) as here:
        steps = await examined(tmp_path, {**remote(), "url": here.url(path="/mcp")})
    assert broken(steps) == ("server", kind, reason)


async def test_a_token_without_a_role_is_named(tmp_path: Path) -> None:
    who = {"subject": "a", "organisation": "b", "api_domain": DOMAIN, "expires_at": "2030-01-01T00:00:00Z", "roles": []}
    results = (
        {"serverInfo": {"name": "nudj-mcp", "version": "1"}},
        {"tools": [{"name": "check_connection"}]},
        {"structuredContent": {"ok": True, "data": who}},
    )
    said = [json.dumps({"jsonrpc": "2.0", "id": place + 1, "result": one}) for place, one in enumerate(results)]
    async with site(*(reply(one.encode(), "content-type: application/json") for one in said)) as here:
        steps = await examined(tmp_path, {**remote(), "url": here.url(path="/mcp")})
    assert broken(steps) == ("role", Kind.ROLE, "no_role")


def _hour(hours: int) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=hours)


def _certificate(folder: Path, host: str, until: int) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_hour(until - 2))
        .not_valid_after(_hour(until))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, SHA256())
    )
    file = folder / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return file


@asynccontextmanager
async def _tls(certificate: Path) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("host", "until", "trusted", "reason"),
    [
        ("localhost", 1, False, "self_signed"),
        ("elsewhere.example", 1, True, "other_host"),
        ("localhost", -1, True, "certificate_expired"),
    ],
)
async def test_a_certificate_that_does_not_hold_is_named(
    tmp_path: Path, host: str, until: int, trusted: bool, reason: str
) -> None:
    certificate = _certificate(tmp_path, host, until)
    async with _tls(certificate) as port:
        words = ("--trust", str(certificate)) if trusted else ()
        steps = await examined(tmp_path, {**remote(), "url": f"https://localhost:{port}/mcp"}, *words)
    assert broken(steps) == ("connect", Kind.TLS, reason)


async def test_an_own_authority_is_trusted_for_the_servers_host_when_told(tmp_path: Path) -> None:
    certificate = _certificate(tmp_path, "localhost", 1)
    async with _tls(certificate) as port:
        block = {**remote(), "url": f"https://localhost:{port}/mcp"}
        assert broken(await examined(tmp_path, block, "--trust", str(certificate)))[0] == "server"


async def test_https_to_a_server_that_speaks_plain_http_is_named(tmp_path: Path, world: Hosted) -> None:
    steps = await examined(tmp_path, {**remote(), "url": f"https://127.0.0.1:{world.port}/mcp"})
    assert broken(steps) == ("connect", Kind.TLS, "https_not_http")


VERDICTS: tuple[tuple[str, str, str, str, Kind, str], ...] = (
    ("an expired token", "expired", "acme", "token", Kind.TOKEN, "token_expired"),
    ("a revoked token", "revoked", "acme", "token", Kind.TOKEN, "token_revoked"),
    ("a forged token", "forged", "acme", "token", Kind.TOKEN, "signature"),
    ("another organisation's domain", "admin", "globex", "organisation", Kind.ORGANISATION, "organisation_mismatch"),
)


@pytest.mark.parametrize(
    ("token", "at", "step", "kind", "reason"), [case[1:] for case in VERDICTS], ids=[case[0] for case in VERDICTS]
)
async def test_what_the_server_refuses_is_named_by_the_server(
    tmp_path: Path, world: Hosted, token: str, at: str, step: str, kind: Kind, reason: str
) -> None:
    block = {"url": f"{world.origin}/mcp", "headers": world.headers(token, at)}
    assert broken(await examined(tmp_path, block)) == (step, kind, reason)


async def test_a_subdomain_nobody_has_is_named(tmp_path: Path, world: Hosted) -> None:
    headers = {**world.headers(), "x-api-domain": world.domain().replace("acme", "acne")}
    steps = await examined(tmp_path, {"url": f"{world.origin}/mcp", "headers": headers})
    assert broken(steps) == ("organisation", Kind.ORGANISATION, "tenant_unknown")


async def test_clocks_that_disagree_are_named(tmp_path: Path, world: Hosted) -> None:
    block = {"url": f"{world.origin}/mcp", "headers": world.headers("expired")}
    steps = await examined(tmp_path, block, now=lambda: 0.0)
    assert broken(steps) == ("token", Kind.TOKEN, "clock_skew")


async def test_a_tenant_that_is_down_is_named(tmp_path: Path, world: Hosted) -> None:
    headers = {"Authorization": f"Bearer {world.token('admin', 'globex')}", "x-api-domain": world.domain("globex")}
    steps = await examined(tmp_path, {"url": f"{world.origin}/mcp", "headers": headers})
    assert broken(steps) == ("tenant", Kind.TENANT, "refused")


@pytest.mark.parametrize("path", ["/mcp", "/sse"])
async def test_a_sound_set_up_passes_every_step(tmp_path: Path, world: Hosted, path: str) -> None:
    steps = await examined(tmp_path, {"url": f"{world.origin}{path}", "headers": world.headers()})
    assert [(step.name, step.good) for step in steps] == [(name, True) for name in STEPS]


def _run(world: Hosted, *words: str, **around: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "server", "doctor", *words]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NUDJ_")}
    return subprocess.run(
        command, cwd=ROOT, env={**clean, **around}, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_command_walks_over_stdio_when_nothing_else_is_named(world: Hosted) -> None:
    around = {**world.environment, "NUDJ_MCP_TOKEN": world.token("admin"), "NUDJ_API_DOMAIN": world.domain()}
    done = _run(world, **around)
    assert done.returncode == 0, done.stdout
    assert "✓ tenant" in done.stdout
    assert done.stdout.count("✓") == len(STEPS) - 3  # nothing of the network


def test_a_stdio_server_that_cannot_start_is_heard_out(world: Hosted) -> None:
    around = {"NUDJ_MCP_TOKEN": world.token("admin"), "NUDJ_API_DOMAIN": world.domain(), "NUDJ_MCP_AUTH_VERIFI": "x"}
    done = _run(world, **around)
    assert done.returncode == EXIT[Kind.SERVER]
    assert "did you mean NUDJ_MCP_AUTH_VERIFY" in done.stdout


def test_the_exit_code_says_whose_business_it_is(world: Hosted) -> None:
    expired = {"NUDJ_MCP_TOKEN": world.token("expired"), "NUDJ_API_DOMAIN": world.domain()}
    done = _run(world, "--url", f"{world.origin}/mcp", **expired)
    assert done.returncode == EXIT[Kind.TOKEN]
    assert "✗ token        The token's lifetime is over." in done.stdout
    assert "· tenant       not reached" in done.stdout


def test_json_is_one_object_for_programs(world: Hosted) -> None:
    good = {"NUDJ_MCP_TOKEN": world.token("viewer"), "NUDJ_API_DOMAIN": world.domain()}
    done = _run(world, "--url", f"{world.origin}/mcp", "--json", **good)
    said = json.loads(done.stdout)
    assert (done.returncode, said["ok"]) == (0, True)
    assert [step["name"] for step in said["steps"]] == list(STEPS)
    assert world.token("viewer") not in done.stdout
