"""From what a client calls a tenant to the tenant, and nowhere else."""

import json
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from server.credentials import Presented
from server.net import Net, Route
from server.secret import Secret
from server.tenants.directory import Directory
from server.tenants.entries import Mistakes, table
from server.tenants.sources import OneTenant, TenantFeed, TenantFile
from server.tenants.tenant import Tenant
from tests.issuer import ACME, GLOBEX, Web, until
from tests.sites import reply, site
from tools.refusals import Code, Refusal

SUFFIX = "/api/v2/admin"
AT_ACME = f"https://acme.nudj.cx{SUFFIX}"
AT_GLOBEX = f"https://globex.nudj.cx{SUFFIX}"
CUSTOM = f"https://rewards.acme.example{SUFFIX}"
LOCAL = f"http://acme.localhost:4011{SUFFIX}"
FEED = "https://directory.example/tenants.json"

ENTRIES: dict[str, Any] = {
    "acme": {"organisation": ACME.upper(), "api_domain": AT_ACME, "also": [CUSTOM, LOCAL]},
    "globex": {"organisation": GLOBEX, "api_domain": AT_GLOBEX, "connect_to": "127.0.0.1:4011"},
}
TOML = f"""
[tenants.acme]
organisation = "{ACME}"
api_domain = "{AT_ACME}"
"""


def directory() -> Directory:
    return Directory(table({"tenants": ENTRIES}, None))


def refusal(presented: Presented) -> Refusal:
    with pytest.raises(Refusal) as caught:
        directory().locate(presented)
    return caught.value


def named(presented: Presented) -> tuple[str, str]:
    tenant = directory().locate(presented)
    return tenant.subdomain, tenant.api_domain


@pytest.mark.parametrize("domain", [AT_ACME, CUSTOM, LOCAL])
def test_a_registered_domain_is_its_tenant_at_that_domain(domain: str) -> None:
    assert named(Presented(domain=(domain,))) == ("acme", domain)
    assert directory().find(domain).organisation == ACME


def test_the_path_names_a_tenant_as_well_as_the_header() -> None:
    assert named(Presented(path="acme")) == ("acme", AT_ACME)
    assert named(Presented(path="acme", domain=(CUSTOM,))) == ("acme", CUSTOM)


def test_naming_no_tenant_is_a_missing_domain() -> None:
    refused = refusal(Presented())
    assert (refused.code, refused.status) == (Code.DOMAIN_MISSING, 401)


@pytest.mark.parametrize(
    "presented",
    [
        Presented(domain=(AT_ACME,), path="globex"),
        Presented(domain=(AT_ACME, AT_GLOBEX)),
        Presented(domain=(AT_ACME, AT_ACME)),
        Presented(domain=(f"{AT_ACME},{AT_GLOBEX}",)),
        Presented(domain=(f"{AT_ACME}, {AT_ACME}",)),
    ],
)
def test_naming_two_tenants_is_a_conflict(presented: Presented) -> None:
    assert refusal(presented).code is Code.DOMAIN_CONFLICT


@pytest.mark.parametrize(
    "presented",
    [
        Presented(domain=(f"https://other.nudj.cx{SUFFIX}",)),
        Presented(domain=(f"https://acme.nudj.cx:8443{SUFFIX}",)),
        Presented(domain=(f"http://acme.localhost:4012{SUFFIX}",)),
        Presented(domain=(f"http://127.0.0.1:4011{SUFFIX}",)),
        Presented(domain=(f"https://acme.nudj.cx.evil.example{SUFFIX}",)),
        Presented(domain=(f"https://xn--acm-epa.nudj.cx{SUFFIX}",)),
        Presented(path="other"),
        Presented(path="ACME"),
        Presented(path=""),
        Presented(path="acme/../globex"),
    ],
)
def test_a_tenant_nobody_registered_is_unknown(presented: Presented) -> None:
    refused = refusal(presented)
    assert (refused.code, refused.status) == (Code.TENANT_UNKNOWN, 404)


@pytest.mark.parametrize(
    ("domain", "reason"),
    [
        ("", "empty"),
        ("x" * 301, "too_long"),
        ("${NUDJ_API_DOMAIN}", "unexpanded_variable"),
        (" " + AT_ACME, "whitespace"),
        (AT_ACME + "\n", "whitespace"),
        (AT_ACME + "\t", "whitespace"),
        (AT_ACME + "\x00", "whitespace"),
        (AT_ACME + "\u00a0", "whitespace"),
        (f"https://\u0430cme.nudj.cx{SUFFIX}", "not_ascii"),
        (f"https://acme\u3002nudj.cx{SUFFIX}", "not_ascii"),
        (f"https://acme\u200b.nudj.cx{SUFFIX}", "not_ascii"),
        (f"https://acme.nudj.cx\\@evil.example{SUFFIX}", "backslash"),
        (f"https://acme.nudj.cx%2f{SUFFIX}", "encoded"),
        (f"https://acme.nudj.cx@evil.example{SUFFIX}", "userinfo"),
        (f"https://user:pass@acme.nudj.cx{SUFFIX}", "userinfo"),
        (AT_ACME + "?x=1", "query"),
        (AT_ACME + "#x", "fragment"),
        (f"https://ACME.nudj.cx{SUFFIX}", "upper_case"),
        (f"HTTPS://acme.nudj.cx{SUFFIX}", "upper_case"),
        ("https://acme.nudj.cx/API/v2/admin", "upper_case"),
        (f"acme.nudj.cx{SUFFIX}", "no_scheme"),
        ("acme", "no_scheme"),
        (f"//acme.nudj.cx{SUFFIX}", "no_scheme"),
        (f"ftp://acme.nudj.cx{SUFFIX}", "no_scheme"),
        (f"file://{SUFFIX}", "no_scheme"),
        (f"https:/acme.nudj.cx{SUFFIX}", "no_scheme"),
        (AT_ACME + "/", "trailing_slash"),
        ("https://acme.nudj.cx", "missing_suffix"),
        ("https://acme.nudj.cx/", "missing_suffix"),
        ("https://acme.nudj.cx/api/v2", "missing_suffix"),
        ("https://acme.nudj.cx/api/v2/admin/../integration", "missing_suffix"),
        ("https://acme.nudj.cx/x/../api/v2/admin", "missing_suffix"),
        ("https://acme.nudj.cx//api/v2/admin", "missing_suffix"),
        ("https://acme.nudj.cx/api/v2/admin2", "missing_suffix"),
        (f"https://acme.nudj.cx.{SUFFIX}", "trailing_dot"),
        (f"https://127.0.0.2.{SUFFIX}", "trailing_dot"),
        (f"https://10.0.0.1{SUFFIX}", "ip_address"),
        (f"https://169.254.169.254{SUFFIX}", "ip_address"),
        (f"https://2130706433{SUFFIX}", "ip_address"),
        (f"https://0x7f.1{SUFFIX}", "ip_address"),
        (f"https://0x7f000001{SUFFIX}", "ip_address"),
        (f"https://127.1{SUFFIX}", "ip_address"),
        (f"https://017700000001{SUFFIX}", "ip_address"),
        (f"https://{SUFFIX}", "host"),
        (f"https://.nudj.cx{SUFFIX}", "host"),
        (f"https://acme..nudj.cx{SUFFIX}", "host"),
        (f"https://-acme.nudj.cx{SUFFIX}", "host"),
        (f"https://acme_x.nudj.cx{SUFFIX}", "host"),
        (f"https://{'a' * 64}.nudj.cx{SUFFIX}", "host"),
        (f"https://acme.nudj.cx:443{SUFFIX}", "port"),
        (f"https://acme.nudj.cx:{SUFFIX}", "port"),
        (f"https://acme.nudj.cx:0{SUFFIX}", "port"),
        (f"https://acme.nudj.cx:08443{SUFFIX}", "port"),
        (f"https://acme.nudj.cx:65536{SUFFIX}", "port"),
        (f"https://acme.nudj.cx:80:81{SUFFIX}", "port"),
        (f"http://acme.localhost:80{SUFFIX}", "port"),
        (f"http://acme.nudj.cx{SUFFIX}", "http_not_https"),
        (f"http://localhost.nudj.cx{SUFFIX}", "http_not_https"),
    ],
)
def test_a_domain_in_any_other_spelling_is_refused_and_the_slip_is_named(domain: str, reason: str) -> None:
    refused = refusal(Presented(domain=(domain,)))
    assert (refused.code, refused.reason) == (Code.DOMAIN_MALFORMED, reason)
    assert domain == "" or domain not in refused.message + refused.hint


def test_the_way_to_a_tenant_is_told_by_host_and_port_and_for_tenants_only() -> None:
    here = directory()
    assert here.route("globex.nudj.cx", 443) == Route("127.0.0.1:4011")
    assert here.route("acme.localhost", 4011) == Route()
    assert here.route("globex.nudj.cx", 80) is None
    assert here.route("evil.example", 443) is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"organisation": "x"}, "organisation"),
        ({"organisation": None}, "organisation"),
        ({"api_domain": "http://acme.nudj.cx/api/v2/admin"}, "https"),
        ({"api_domain": "https://acme.nudj.cx"}, "does not end"),
        ({"api_domain": AT_GLOBEX}, "also tenants"),
        ({"also": [AT_GLOBEX]}, "also tenants"),
        ({"also": [AT_ACME]}, "also tenants"),
        ({"also": "x"}, "also"),
        ({"connect_to": "127.0.0.1"}, "connect_to"),
        ({"connect_to": "127.0.0.1:70000"}, "connect_to"),
        ({"connect_to": "http://127.0.0.1:1"}, "connect_to"),
        ({"trust": "ca.pem"}, "local files"),
        ({"service_credential_file": "secret"}, "local files"),
        ({"orgainsation": ACME}, "orgainsation"),
    ],
)
def test_a_mistake_in_an_entry_is_named(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(Mistakes) as caught:
        table({"tenants": ENTRIES | {"acme": ENTRIES["acme"] | changed}}, None)
    assert any("acme" in mistake and said in mistake for mistake in caught.value.mistakes) or (
        any(said in mistake for mistake in caught.value.mistakes)
    )


@pytest.mark.parametrize("document", [{}, {"tenants": []}, {"tenants": {"acme": 7}}, {"tenant": {}}, [], None])
def test_a_document_of_another_shape_is_a_mistake(document: Any) -> None:
    with pytest.raises(Mistakes):
        table(document, None)


@pytest.mark.parametrize("subdomain", ["ACME", "a.b", "", "a" * 64, "a/b", "ä"])
def test_the_name_of_an_entry_is_a_subdomain(subdomain: str) -> None:
    with pytest.raises(Mistakes):
        table({"tenants": {subdomain: ENTRIES["acme"]}}, None)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    entries = {
        f"t{turn}": {"organisation": ACME, "api_domain": "https://x", "trust": "none.pem", "connect_to": "a:0"}
        for turn in range(3)
    }
    with pytest.raises(Mistakes) as caught:
        table({"tenants": entries}, tmp_path)
    assert len([mistake for mistake in caught.value.mistakes if mistake.startswith("tenants.t1:")]) == 4


def test_files_named_by_an_entry_are_read_beside_the_directory_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    (tmp_path / "acme").write_text("the-credential\n")
    path = tmp_path / "tenants.toml"
    path.write_text(TOML + 'trust = "ca.pem"\nservice_credential_file = "acme"\n')
    tenant = TenantFile(path).directory.find(AT_ACME)
    assert (tenant.trust, tenant.service_credential) == (tmp_path / "ca.pem", Secret("the-credential"))
    assert "the-credential" not in repr(tenant)


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff", b"x" * 9000])
def test_a_service_credential_is_one_word(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "acme").write_bytes(content)
    path = tmp_path / "tenants.toml"
    path.write_text(TOML + 'service_credential_file = "acme"\n')
    with pytest.raises(Mistakes, match="service_credential_file"):
        TenantFile(path)


@pytest.mark.parametrize("text", ["[tenants", "\x00", None])
def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "tenants.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(Mistakes, match="tenant file"):
        TenantFile(path)


async def test_an_edit_of_the_file_takes_effect_whole_and_a_bad_one_not_at_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "tenants.toml"
    path.write_text(TOML)
    source = TenantFile(path, every_s=0.01)

    def edit(text: str) -> None:
        (tmp_path / "new").write_text(text)
        (tmp_path / "new").replace(path)

    async def complained() -> bool:
        return "the tenants stay as they were" in caplog.text

    async def empty() -> bool:
        return len(source.directory) == 0

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(source.run)
        edit(TOML + TOML.replace("acme", "globex") + "[tenants.broken]\n")
        await until(complained)
        assert source.directory.find(AT_ACME).organisation == ACME
        assert len(source.directory) == 1
        edit("[tenants]\n")
        await until(empty)
        tasks.cancel_scope.cancel()


async def test_a_file_that_vanishes_leaves_the_tenants_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "tenants.toml"
    path.write_text(TOML)
    source = TenantFile(path)
    path.unlink()
    assert not await source.refresh()
    assert len(source.directory) == 1


async def test_a_feed_takes_effect_whole_and_a_bad_one_not_at_all(caplog: pytest.LogCaptureFixture) -> None:
    web = Web()
    feed = TenantFeed(FEED, web)
    assert not await feed.refresh()
    web.put(FEED, json.dumps({"tenants": ENTRIES}).encode(), etag='"1"')
    assert await feed.refresh()
    assert len(feed.directory) == 2
    for body in (b"<html>", b"", b'{"tenants":{"acme":{}}}', b'{"tenants":{},"tenants":{}}', b"\xff"):
        web.put(FEED, body)
        assert not await feed.refresh()
        assert len(feed.directory) == 2
    assert caplog.text.count("the tenants stay as they were") == 6
    web.put(FEED, b'{"tenants":{}}')
    assert await feed.refresh()
    assert len(feed.directory) == 0


async def test_a_feed_is_polled_with_its_etag_over_a_real_connection() -> None:
    first, second = ({"tenants": {name: ENTRIES[name]}} for name in ("acme", "globex"))
    replies = (
        reply(json.dumps(first).encode(), 'etag: "1"'),
        reply(b"", status="304 Not Modified"),
        reply(json.dumps(second).encode(), 'etag: "2"'),
        reply(b"", status="304 Not Modified"),
    )
    async with site(*replies) as here, Net() as net:
        feed = TenantFeed(here.url(), net.send, every_s=0.01)

        async def moved_on() -> bool:
            return len(here.heads) > 3

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(feed.run)
            await until(moved_on)
            tasks.cancel_scope.cancel()
        assert feed.directory.at_path("globex").organisation == GLOBEX
        with pytest.raises(Refusal):
            feed.directory.at_path("acme")
    assert ['if-none-match: "1"' in head for head in here.heads[:3]] == [False, True, True]


def test_a_feed_comes_by_https() -> None:
    with pytest.raises(ValueError, match="https"):
        TenantFeed("http://directory.example/tenants.json", Web())


def test_the_one_tenant_of_a_persons_own_machine_has_no_organisation_until_it_is_confirmed() -> None:
    tenant = OneTenant(AT_ACME).directory.locate(Presented(domain=(AT_ACME,)))
    assert tenant == Tenant("", AT_ACME, "acme")


@pytest.mark.parametrize(("configured", "code"), [(None, Code.DOMAIN_MISSING), ("https://acme", Code.DOMAIN_MALFORMED)])
def test_a_persons_own_machine_without_a_usable_domain_says_so_at_each_call(configured: str | None, code: Code) -> None:
    with pytest.raises(Refusal) as caught:
        OneTenant(configured).directory.locate(Presented(domain=() if configured is None else (configured,)))
    assert caught.value.code is code


def test_ten_thousand_tenants_load_within_a_second_and_are_found_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tenants.toml"
    path.write_text(
        "".join(
            f'[tenants.t{turn}]\norganisation = "{turn:024x}"\napi_domain = "https://t{turn}.nudj.cx{SUFFIX}"\n'
            for turn in range(10_000)
        )
    )
    started = time.process_time()
    here = TenantFile(path).directory
    assert time.process_time() - started < 1
    started = time.process_time()
    for turn in range(10_000):
        assert here.find(f"https://t{turn}.nudj.cx{SUFFIX}").organisation == f"{turn:024x}"
    assert time.process_time() - started < 0.1
