"""The issuer's published keys: when they are fetched, when they are not, and how long they last."""

import anyio
import pytest

from server.http.client import OutboundClient
from server.http.port import HttpResponse
from server.identity.jwks import PublishedKeys
from server.identity.keys import parse_public_keys
from tests.support.scripted_servers import reply, site
from tests.support.token_issuer import Clock, Web, document, jwk, until
from tools.refusals import Code, ToolError

URL = "https://auth.nudj.cx/jwks.json"


def published(*keys: dict[str, object]) -> tuple[Web, Clock, PublishedKeys]:
    web, clock = Web(), Clock()
    web.put(URL, document(*keys))
    return web, clock, PublishedKeys(URL, web, clock=clock)


async def code(keys: PublishedKeys, key_id: str | None) -> Code:
    with pytest.raises(ToolError) as caught:
        await keys.having(key_id)
    return caught.value.code


async def test_known_keys_cost_no_fetch() -> None:
    web, _, keys = published(jwk("ES256"))
    for _ in range(100):
        assert (await keys.having("ES256")).knows("ES256")
    assert len(web.asked) == 1


async def test_a_thousand_unknown_key_ids_cost_one_fetch_a_minute() -> None:
    web, clock, keys = published(jwk("ES256"))
    await keys.refresh()
    clock.now += 1
    for turn in range(1000):
        await keys.having(f"bogus-{turn}")
    assert len(web.asked) == 2
    clock.now += 59
    await keys.having("bogus")
    assert len(web.asked) == 2
    clock.now += 1
    await keys.having("bogus")
    assert len(web.asked) == 3


async def test_unknown_key_ids_at_the_same_moment_share_one_fetch() -> None:
    web, _, keys = published(jwk("ES256"))
    gate = anyio.Event()

    async def slow(method: str, url: str, **more: object) -> HttpResponse:
        await gate.wait()
        return await web(method, url)

    keys = PublishedKeys(URL, slow)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for turn in range(1000):
                tasks.start_soon(keys.having, f"bogus-{turn}")
            await anyio.wait_all_tasks_blocked()
            gate.set()
    assert len(web.asked) == 1


async def test_a_new_key_is_found_on_the_first_token_that_names_it() -> None:
    web, clock, keys = published(jwk("ES256"))
    await keys.refresh()
    web.put(URL, document(jwk("ES256"), jwk("RS256", key_id="next")))
    clock.now += 1
    assert (await keys.having("next")).knows("next")


async def test_a_withdrawn_key_is_out_of_force_with_the_next_read() -> None:
    web, _, keys = published(jwk("ES256"), jwk("RS256"))
    await keys.refresh()
    web.put(URL, document(jwk("RS256")))
    await keys.refresh()
    assert keys.current is not None
    assert not keys.current.knows("ES256")


async def test_an_emptied_set_is_an_answer_and_ends_all_keys() -> None:
    web, _, keys = published(jwk("ES256"))
    await keys.refresh()
    web.put(URL, document())
    assert await keys.refresh()
    assert not (await keys.having("ES256")).knows("ES256")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"", b'{"keys":{}}', b"\xff"])
async def test_an_answer_that_is_no_key_set_changes_nothing(body: bytes) -> None:
    web, _, keys = published(jwk("ES256"))
    await keys.refresh()
    web.put(URL, body)
    assert not await keys.refresh()
    assert (await keys.having("ES256")).knows("ES256")


async def test_known_keys_outlive_an_outage_for_a_day_and_no_longer() -> None:
    web, clock, keys = published(jwk("ES256"))
    await keys.refresh()
    web.answers.clear()
    clock.now += 86_400
    assert not await keys.refresh()
    assert (await keys.having("ES256")).knows("ES256")
    clock.now += 1
    assert await code(keys, "ES256") is Code.VERIFICATION_UNAVAILABLE
    assert keys.current is None


async def test_an_unknown_key_during_an_outage_cannot_be_judged() -> None:
    web, clock, keys = published(jwk("ES256"))
    await keys.refresh()
    web.answers.clear()
    clock.now += 1
    assert await code(keys, "next") is Code.VERIFICATION_UNAVAILABLE


async def test_without_a_first_answer_nothing_can_be_judged() -> None:
    keys = PublishedKeys(URL, Web())
    assert await code(keys, None) is Code.VERIFICATION_UNAVAILABLE


async def test_an_unchanged_set_stays_the_same_object_so_that_verdicts_hold() -> None:
    _, _, keys = published(jwk("ES256"))
    await keys.refresh()
    before = keys.current
    await keys.refresh()
    assert keys.current is before


@pytest.mark.parametrize(
    ("said", "pause"),
    [
        ("", 30),
        ("max-age=3600", 30),
        ("public, max-age=10", 10),
        ("max-age=0", 5),
        ("no-store", 30),
        ("s-max-age=7", 30),
    ],
)
async def test_the_server_may_shorten_the_pause_between_reads_but_not_lengthen_it(said: str, pause: float) -> None:
    web, _, keys = published(jwk("ES256"))
    web.put(URL, document(jwk("ES256")), cache_control=said)
    await keys.refresh()
    assert keys._pause_s() == pause


async def test_rotation_is_seen_in_the_background_over_a_real_connection() -> None:
    old, new = document(jwk("ES256")), document(jwk("ES256", key_id="next"))
    not_changed = reply(b"", status="304 Not Modified")
    first = reply(old, 'etag: "1"')
    async with site(first, not_changed, reply(new, 'etag: "2"'), not_changed) as here, OutboundClient() as net:
        keys = PublishedKeys(here.url(), net.send, every_s=0.02)

        async def seen() -> bool:
            return keys.current is not None and keys.current.knows("next")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keys.run)
            await until(seen)
            tasks.cancel_scope.cancel()
    assert 'if-none-match: "1"' in here.heads[1].lower()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "500 Oops", "204 No Content"])
async def test_a_redirect_or_an_error_is_no_answer_and_leads_nowhere(status: str) -> None:
    async with site(reply(document(jwk("ES256")))) as canary, OutboundClient() as net:
        answer = reply(document(jwk("ES256")), f"location: {canary.url()}", status=status)
        async with site(answer) as here:
            keys = PublishedKeys(here.url(), net.send)
            assert not await keys.refresh()
        assert canary.connections == 0


async def test_a_key_set_of_any_size_is_read_only_up_to_the_cap() -> None:
    async with site(reply(b'{"keys":[' + b" " * 300_000 + b"]}")) as here, OutboundClient() as net:
        assert not await PublishedKeys(here.url(), net.send).refresh()


@pytest.mark.parametrize(
    "url",
    [
        "http://auth.nudj.cx/jwks.json",
        "http://localhost.evil.example/jwks.json",
        "http://127.0.0.1.evil.example/jwks.json",
        "http://10.0.0.1/jwks.json",
        "https://user:pass@auth.nudj.cx/jwks.json",
        "https://auth.nudj.cx/jwks.json#x",
        "https:///jwks.json",
        "file:///etc/passwd",
        "ftp://auth.nudj.cx/jwks.json",
        "data:application/json,{}",
        "",
    ],
)
def test_keys_come_by_https_or_from_this_machine_only(url: str) -> None:
    with pytest.raises(ValueError, match="needed"):
        PublishedKeys(url, Web())


@pytest.mark.parametrize("host", ["localhost", "auth.localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_this_machine_may_be_asked_in_the_clear(host: str) -> None:
    assert PublishedKeys(f"http://{host}:4010/jwks.json", Web()).current is None


async def test_one_bad_key_is_said_and_the_good_ones_are_in_force(caplog: pytest.LogCaptureFixture) -> None:
    _, _, keys = published({"kty": "RSA", "n": "AQ", "e": "AQ"}, jwk("ES256"))
    await keys.refresh()
    assert keys.current is not None
    assert keys.current.knows("ES256")
    assert "a key of the issuer is left out" in caplog.text
    assert parse_public_keys(document(jwk("ES256"))).faults == ()
