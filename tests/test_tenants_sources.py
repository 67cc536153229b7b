"""What an operator writes down becomes the directory whole, or every mistake in it is told."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from server.credentials.parsing import PresentedCredentials
from server.credentials.secret import Secret
from server.http.client import OutboundClient
from server.tenants.entries import Mistakes, build_table
from server.tenants.sources import OneTenant, TenantFeed, TenantFile
from server.tenants.tenant import Tenant
from tests.support.certificates import self_signed
from tests.support.directory_entries import AT_ACME, AT_GLOBEX, ENTRIES, FEED, TOML
from tests.support.scripted_servers import reply, site
from tests.support.token_issuer import ACME, GLOBEX, Web, until
from tools.refusals import Code, ToolError


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
        build_table({"tenants": ENTRIES | {"acme": ENTRIES["acme"] | changed}}, None)
    assert any("acme" in mistake and said in mistake for mistake in caught.value.mistakes) or (
        any(said in mistake for mistake in caught.value.mistakes)
    )


@pytest.mark.parametrize("document", [{}, {"tenants": []}, {"tenants": {"acme": 7}}, {"tenant": {}}, [], None])
def test_a_document_of_another_shape_is_a_mistake(document: Any) -> None:
    with pytest.raises(Mistakes):
        build_table(document, None)


@pytest.mark.parametrize("subdomain", ["ACME", "a.b", "", "a" * 64, "a/b", "ä"])
def test_the_name_of_an_entry_is_a_subdomain(subdomain: str) -> None:
    with pytest.raises(Mistakes):
        build_table({"tenants": {subdomain: ENTRIES["acme"]}}, None)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    entries = {
        f"t{turn}": {"organisation": ACME, "api_domain": "https://x", "trust": "none.pem", "connect_to": "a:0"}
        for turn in range(3)
    }
    with pytest.raises(Mistakes) as caught:
        build_table({"tenants": entries}, tmp_path)
    assert len([mistake for mistake in caught.value.mistakes if mistake.startswith("tenants.t1:")]) == 4


def test_files_named_by_an_entry_are_read_beside_the_directory_file(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path, "acme.test").rename(tmp_path / "ca.pem").read_text()
    (tmp_path / "acme").write_text("the-credential\n")
    path = tmp_path / "tenants.toml"
    path.write_text(TOML + 'trust = "ca.pem"\nservice_credential_file = "acme"\n')
    tenant = TenantFile(path).directory.find(AT_ACME)
    assert (tenant.trust, tenant.service_credential) == (certificate, Secret("the-credential"))
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
    async with site(*replies) as here, OutboundClient() as net:
        feed = TenantFeed(here.url(), net.send, every_s=0.01)

        async def moved_on() -> bool:
            return len(here.heads) > 3

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(feed.run)
            await until(moved_on)
            tasks.cancel_scope.cancel()
        assert feed.directory.at_path("globex").organisation == GLOBEX
        with pytest.raises(ToolError):
            feed.directory.at_path("acme")
    assert ['if-none-match: "1"' in head for head in here.heads[:3]] == [False, True, True]


def test_a_feed_comes_by_https() -> None:
    with pytest.raises(ValueError, match="https"):
        TenantFeed("http://directory.example/tenants.json", Web())


def test_the_one_tenant_of_a_persons_own_machine_has_no_organisation_until_it_is_confirmed() -> None:
    tenant = OneTenant(AT_ACME).directory.locate(PresentedCredentials(domain=(AT_ACME,)))
    assert tenant == Tenant("", AT_ACME, "acme")


@pytest.mark.parametrize(("configured", "code"), [(None, Code.DOMAIN_MISSING), ("https://acme", Code.DOMAIN_MALFORMED)])
def test_a_persons_own_machine_without_a_usable_domain_says_so_at_each_call(configured: str | None, code: Code) -> None:
    with pytest.raises(ToolError) as caught:
        OneTenant(configured).directory.locate(PresentedCredentials(domain=() if configured is None else (configured,)))
    assert caught.value.code is code
