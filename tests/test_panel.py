"""The admin panel in a real browser: what a person does there, and what nobody can do to them."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from server.sandbox.accounts import Account
from tests.support.client_processes import MODULES, driven, needs_node
from tests.support.shared_stack import ROOT, World
from tests.test_clients import expanded

AXE = MODULES / "axe-core" / "axe.min.js"
PICTURES = ROOT / "artifacts" / "panel"
PAGES = ("tokens/mcp", "tokens/api", "connections", "calls", "try")
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1200, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1200, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 360, "height": 740}},
    "phone-dark": {"color_scheme": "dark", "viewport": {"width": 360, "height": 740}},
}


PATIENCE_MS = 90_000
"""For one step of a page, on a machine that does other things too."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("NUDJ_REQUIRE_ALL"):
            pytest.fail("chromium is not installed")
        pytest.skip("chromium is not installed")
    with sync_playwright() as play:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        started = play.chromium.launch(executable_path=chromium, args=arguments)
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that nobody used before; a page that complains about anything fails the test."""
    with browser.new_context() as fresh:
        fresh.set_default_timeout(PATIENCE_MS)
        complaints: list[str] = []
        fresh.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        fresh.on("weberror", lambda error: complaints.append(str(error.error)))
        yield fresh
        assert [said for said in complaints if "Failed to load resource" not in said] == []


def account(world: World, email: str) -> Account:
    """One of the seeded people."""
    return next(each for each in world.local.sandbox.accounts if each.email == email)


def sign_in(page: Page, world: World, email: str, *, at: str | None = None) -> None:
    """Fill in the form as a person would."""
    page.goto(at or f"{world.local.sandbox.issuer}/admin")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(account(world, email).password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("MCP Tokens")


def mint(page: Page, name: str, role: str) -> str:
    """Generate a token and read it off the page."""
    page.get_by_role("link", name="MCP Tokens").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Role").select_option(role)
    page.get_by_role("button", name="Generate token").click()
    return page.locator("#token").inner_text()


def test_a_token_is_minted_pasted_used_seen_live_and_revoked(context: BrowserContext, world: World) -> None:
    needs_node()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    sign_in(page, world, "manager@acme.example", at=f"{world.domain().removesuffix('/api/v2/admin')}/admin")
    token = mint(page, "My laptop", "manager")
    page.get_by_role("button", name="Copy token").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == token
    page.get_by_text("any client that starts a command", exact=True).click()
    shown = page.locator("details[open] pre").inner_text()
    entry = expanded(json.loads(shown)["mcpServers"]["nudj"], {"NUDJ_MCP_TOKEN": token})
    page.goto(f"{world.local.sandbox.issuer}/admin/calls")
    with driven("v1.mjs", {"era": "auto", **entry}) as client:
        assert client.call("list_challenges", limit=1)["structuredContent"]["ok"] is True
        row = page.get_by_role("row").filter(has_text="My laptop").filter(has_text="list_challenges")
        expect(row.first).to_contain_text("allowed")
        page.get_by_role("link", name="MCP Tokens").click()
        expect(page.get_by_text(token)).to_have_count(0)
        expect(page.get_by_role("row").filter(has_text="My laptop")).not_to_contain_text("never")
        page.get_by_role("button", name="Revoke My laptop").click()
        expect(page.get_by_role("row").filter(has_text="My laptop")).to_contain_text("revoked")
        page.wait_for_timeout(2000)
        refused = client.call("list_challenges", limit=1)
        assert json.loads(refused["content"][0]["text"])["error"]["code"] == "token_revoked"


def test_the_feed_shows_calls_of_the_persons_own_organisation_alone(context: BrowserContext, world: World) -> None:
    for organisation in ("acme", "globex"):
        token = world.mint(organisation, subject=f"caller-of-{organisation}")
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_posts", "arguments": {}}}
        said = {"authorization": f"Bearer {token}", "x-api-domain": world.domain(organisation)}
        headers = {**said, "accept": "application/json, text/event-stream"}
        assert httpx.post(world.local.mcp_url, json=body, headers=headers).status_code == 200
    page = context.new_page()
    sign_in(page, world, "consultant@both.example")
    page.get_by_role("link", name="Live calls").click()
    expect(page.get_by_role("row").filter(has_text="caller-of-acme").first).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="caller-of-globex")).to_have_count(0)
    page.get_by_label("Organisation").select_option("globex")
    page.get_by_role("button", name="Switch").click()
    expect(page.locator("#organisation")).to_have_text("Globex Running")
    page.get_by_role("link", name="Live calls").click()
    expect(page.get_by_role("row").filter(has_text="caller-of-globex").first).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="caller-of-acme")).to_have_count(0)


def test_a_call_can_be_tried_and_the_exchange_shows_no_token(context: BrowserContext, world: World) -> None:
    page = context.new_page()
    sign_in(page, world, "admin@acme.example")
    page.get_by_role("link", name="Try a call").click()
    page.get_by_role("button", name="Call").click()
    expect(page.locator("#response")).to_contain_text("HTTP 200")
    expect(page.locator("#response")).to_contain_text("total_count")
    assert "eyJ" not in page.content()
    page.get_by_label("Arguments (JSON)").fill("[")
    page.get_by_role("button", name="Call").click()
    expect(page.get_by_role("alert")).to_have_text("The arguments are not JSON.")


def test_markup_in_a_name_stays_text(context: BrowserContext, world: World) -> None:
    page = context.new_page()
    sign_in(page, world, "admin@acme.example")
    name = "<img src=x onerror=alert(1)>"
    mint(page, name, "viewer")
    expect(page.get_by_role("rowheader", name=name)).to_be_visible()
    assert page.locator("main img").count() == 0


def test_the_switcher_offers_only_organisations_of_the_account(context: BrowserContext, world: World) -> None:
    page = context.new_page()
    sign_in(page, world, "admin@acme.example")
    expect(page.get_by_label("Organisation")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{world.local.sandbox.issuer}/admin/calls")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_accessible_and_fits(browser: Browser, world: World, look: str) -> None:
    needs_node()
    PICTURES.mkdir(parents=True, exist_ok=True)
    with browser.new_context(**LOOKS[look]) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(f"{world.local.sandbox.issuer}/admin")
        check(page, f"sign-in-{look}")
        sign_in(page, world, "consultant@both.example")
        mint(page, f"For {look}", "manager")
        check(page, f"minted-{look}")
        for path in PAGES:
            page.goto(f"{world.local.sandbox.issuer}/admin/{path}")
            if path == "try":
                page.get_by_role("button", name="Call").click()
            check(page, f"{path.replace('/', '-')}-{look}")


def check(page: Page, name: str) -> None:
    """No accessibility fault, nothing wider than the screen; a picture for whoever looks at the run."""
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    page.evaluate(AXE.read_text("utf-8"))
    faults = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in faults] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


@contextmanager
def signed_in(world: World, email: str = "admin@acme.example") -> Iterator[tuple[httpx.Client, str]]:
    """A client with a session, and the session's proof for forms."""
    base = world.local.sandbox.issuer
    with httpx.Client(base_url=base, headers={"origin": base}, follow_redirects=True) as client:
        page = client.post("/admin/sign-in", data={"email": email, "password": account(world, email).password})
        assert page.status_code == 200
        yield client, page.text.partition('name="csrf" value="')[2].partition('"')[0]


def test_a_form_without_proof_or_from_elsewhere_changes_nothing(world: World) -> None:
    with signed_in(world) as (client, csrf):
        good = {"csrf": csrf, "name": "Forged", "role": "admin"}
        for change, headers in (
            ({"csrf": ""}, {}),
            ({"csrf": "x" * len(csrf)}, {}),
            ({}, {"origin": "http://evil.example"}),
            ({}, {"origin": "null"}),
        ):
            assert client.post("/admin/tokens/mcp", data=good | change, headers=headers).status_code == 403
        assert client.post("/admin/sign-out", headers={"content-type": "text/plain"}).status_code == 415
        assert "Forged" not in client.get("/admin/tokens/mcp").text
        assert "Forged" in client.post("/admin/tokens/mcp", data=good).text


def test_a_form_cannot_reach_past_the_account(world: World) -> None:
    foreign = world.organisations["globex"]["community_id"]
    with signed_in(world, "manager@acme.example") as (client, csrf):
        for path, data, status in (
            ("tokens/mcp", {"name": "x", "role": "admin"}, 403),
            ("tokens/api", {"name": "x", "role": "viewer"}, 403),
            ("tokens/mcp", {"name": "x", "role": "viewer", "community": foreign}, 404),
            ("tokens/mcp", {"name": "", "role": "viewer"}, 400),
            ("tokens/mcp/nothing/revoke", {}, 404),
            ("organisation", {"organisation": "globex"}, 403),
        ):
            assert client.post(f"/admin/{path}", data={"csrf": csrf, **data}).status_code == status, path
        assert "Acme Science Centre" in client.get("/admin/calls").text


def test_every_page_forbids_what_is_not_ours_and_the_cookie_is_the_browsers_alone(world: World) -> None:
    with signed_in(world) as (client, _):
        for path in ("sign-in", *PAGES, "calls/rows", "assets/panel.js", "assets/nothing"):
            answer = client.get(f"/admin/{path}")
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            for mark in (" style=", "<style", "javascript:", " onclick=", "https://", "<script>"):
                assert mark not in answer.text.replace("https://nudj", "")
        assert client.get("/admin/calls", headers={"host": "evil.example"}).status_code == 404
