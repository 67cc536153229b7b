"""A revoked token ends within two seconds, and a source that falls silent ends everything."""

import json
import time
from dataclasses import dataclass

import anyio
import pytest

from server.http.client import OutboundClient
from server.identity.revocations import CombinedRevocations, RevocationFeed, Revocations, SharedRevocations
from tests.support.scripted_servers import reply, site
from tests.support.token_issuer import ACME, GLOBEX, Clock, Web, bearing, unrevoked, until
from tools.refusals import Code, ToolError

URL = "https://auth.nudj.cx/revocations.json"


@dataclass
class Known:
    """What every replica knows."""

    ids: set[str]

    async def revoke(self, token_id: str, expires_at: int) -> None:
        assert expires_at > time.time()
        self.ids.add(token_id)

    async def is_revoked(self, token_id: str) -> bool:
        return token_id in self.ids


def listed(*ids: str) -> bytes:
    return json.dumps({"revoked": [{"jti": one, "exp": 1} for one in ids]}).encode()


async def refused(feed: Revocations, token_id: str | None) -> Code:
    with pytest.raises(ToolError) as caught:
        await feed.check(bearing(token_id))
    return caught.value.code


async def test_the_feed_names_what_is_revoked() -> None:
    web = Web()
    web.put(URL, listed("a", "b"))
    feed = RevocationFeed(URL, web)
    assert await feed.refresh()
    assert [await feed.check(bearing(one)) for one in "abc"] == [True, True, False]


async def test_a_feed_never_read_vouches_for_nothing() -> None:
    assert await refused(RevocationFeed(URL, Web()), "a") is Code.VERIFICATION_UNAVAILABLE


@pytest.mark.parametrize(
    "answer", [None, b"", b"[]", b'{"revoked":[7]}', b'{"revoked":[{"jti":7,"exp":1}]}', b"<html>"]
)
async def test_a_feed_silent_or_broken_for_more_than_ten_seconds_stops_every_call(answer: bytes | None) -> None:
    web, clock = Web(), Clock()
    web.put(URL, listed("a"))
    feed = RevocationFeed(URL, web, clock=clock)
    await feed.refresh()
    web.answers.clear()
    if answer is not None:
        web.put(URL, answer)
    clock.now += 10
    assert not await feed.refresh()
    assert (await feed.check(bearing("a")), await feed.check(bearing("b"))) == (True, False)
    clock.now += 0.1
    assert await refused(feed, "b") is Code.VERIFICATION_UNAVAILABLE
    web.put(URL, listed("a"))
    await feed.refresh()
    assert not await feed.check(bearing("b"))


async def test_a_token_without_an_id_cannot_be_revoked_and_so_is_not_accepted() -> None:
    web = Web()
    web.put(URL, listed())
    feed = RevocationFeed(URL, web)
    await feed.refresh()
    assert await refused(feed, None) is Code.TOKEN_INVALID
    assert await refused(SharedRevocations(Known(set()), RuntimeError), None) is Code.TOKEN_INVALID


async def test_a_revocation_is_seen_within_two_seconds_over_a_real_connection() -> None:
    unchanged = reply(b"", status="304 Not Modified")
    async with (
        site(reply(listed(), 'etag: "1"'), reply(listed("a"), 'etag: "2"'), unchanged) as here,
        OutboundClient() as net,
    ):
        feed = RevocationFeed(here.url(), net.send)
        started = time.monotonic()

        async def seen() -> bool:
            return len(here.heads) > 0 and await feed.check(bearing("a"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(feed.run)
            await anyio.sleep(0.3)
            await until(seen)
            tasks.cancel_scope.cancel()
    assert time.monotonic() - started < 2


async def test_the_shared_state_is_asked_at_each_check() -> None:
    known = Known(set())
    shared = SharedRevocations(known, RuntimeError)
    assert not await shared.check(bearing("a"))
    await shared.tell(ACME, "a")
    assert await shared.check(bearing("a"))


async def test_no_organisation_revokes_the_token_of_another() -> None:
    shared = SharedRevocations(Known(set()), RuntimeError)
    await shared.tell(GLOBEX, "a")
    assert [await shared.check(bearing("a", one)) for one in (ACME, GLOBEX)] == [False, True]


async def test_of_two_sources_either_revokes_and_both_must_be_heard() -> None:
    web, clock = Web(), Clock()
    web.put(URL, listed("a"))
    shared = SharedRevocations(Known(set()), RuntimeError)
    both = CombinedRevocations(RevocationFeed(URL, web, clock=clock), shared)
    assert not both.ready
    assert await both.refresh()
    await shared.tell(ACME, "b")
    assert [await both.check(bearing(one)) for one in "abc"] == [True, True, False]
    assert both.ready
    clock.now += 11
    assert not both.ready
    assert await refused(both, "c") is Code.VERIFICATION_UNAVAILABLE


async def test_a_shared_state_that_is_down_stops_every_call() -> None:
    class Down(Exception):
        pass

    class Silent:
        async def revoke(self, token_id: str, expires_at: int) -> None:
            raise Down

        async def is_revoked(self, token_id: str) -> bool:
            raise Down

    shared = SharedRevocations(Silent(), Down)
    assert await refused(shared, "a") is Code.VERIFICATION_UNAVAILABLE
    assert not await shared.refresh()
    assert not shared.ready


async def test_without_revocations_by_choice_every_token_lives() -> None:
    assert not await unrevoked().check(bearing(None))
