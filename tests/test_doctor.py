"""Set-ups broken on purpose: each is named for what it is, by a walk that takes the way of a real call."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.doctor.diagnosis import STEPS
from server.doctor.results import EXIT, Kind
from tests.support.doctor_runs import DOMAIN, TOKEN, broken, examined, remote
from tests.support.hosted_server import ROOT, Hosted, hosted
from tests.support.scripted_servers import reply, site

BRIDGE = ("-y", "mcp-remote@0.15.1", "https://mcp.nudj.cx/mcp", "--header", f"x-api-domain:{DOMAIN}")


@pytest.fixture(scope="module")
def world() -> Iterator[Hosted]:
    """A deployment; globex's own API is down."""
    with hosted(unreachable="globex") as found:
        yield found


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
    ("Bearer in the variable, too", remote(f"Bearer Bearer {TOKEN}"), "headers", Kind.TOKEN, "bearer_twice"),
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
