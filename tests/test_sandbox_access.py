"""Who gets in: host, token, organisation, role and community, each refused as documented."""

from itertools import product

import httpx
import pytest

from server.sandbox.endpoints import ENDPOINTS
from server.sandbox.roles import ROLES
from server.sandbox.sandbox import Sandbox
from tests.support.sandbox_client import PORT, Tenants, refusal
from tests.test_sandbox_document import bodies, concrete, known_ids

ROLE_TABLE = """
Challenge,ChallengeGroup,Action,Achievement,Reward,Distribution,Leaderboard,Tag,Campaign,Game,Template | R R M M M
Community | R R M M M
Post,Comment | R M M M M
User | R RU R M M
Analytics | R R R R R
Theme,Variable,Organisation | R R R RCU M
Team | R R RU M M
Domain,Webhook,Token | - - - M M
"""


def may(role: str, permission: str) -> bool:
    """The published table, read on its own."""
    verb, subject = permission.removeprefix("can-").split(":subject-")
    for line in ROLE_TABLE.strip().splitlines():
        subjects, _, cells = line.partition(" | ")
        if subject in subjects.split(","):
            cell = cells.split()[ROLES.index(role)].replace("M", "CRUD")
            return verb[0].upper() in cell
    raise AssertionError(subject)


@pytest.mark.parametrize("host", ["initech.localhost", "acme.localhost:1", "localhost", "acme.localhost.evil.example"])
async def test_an_unknown_host_is_404_even_with_a_good_token(host: str) -> None:
    tenants = Tenants()
    token = tenants.tokens["acme"]["tokens"]["admin"]
    url = f"http://{host}/api/v2/admin/challenges"
    answer = await tenants.http.get(url, headers={"authorization": f"Bearer {token}", "host": host})
    assert refusal(answer) == (404, "NOT_FOUND", "getChallenges")


@pytest.mark.parametrize("token", ["expired", "forged", "revoked", "", "a.b.c", "not-a-token"])
async def test_a_token_that_is_not_genuine_and_alive_is_401(token: str) -> None:
    answer = await Tenants().ask("GET", "/challenges", token=token)
    assert refusal(answer) == (401, "UNAUTHORIZED", "getChallenges")


@pytest.mark.parametrize("token", ["viewer", "admin", "super-admin", "community"])
async def test_a_token_of_another_organisation_is_403_whatever_its_role(token: str) -> None:
    answer = await Tenants().ask("GET", "/challenges", organisation="acme", at="globex", token=token)
    assert refusal(answer) == (403, "FORBIDDEN", "getChallenges")


async def test_both_headers_are_read_with_or_without_the_prefix_and_must_agree() -> None:
    tenants = Tenants()
    known = tenants.tokens["acme"]
    url = known["api_domain"] + "/challenges"
    one, other = known["x_api_token"], known["tokens"]["admin"]

    async def status(headers: dict[str, str]) -> int:
        return (await tenants.http.get(url, headers=headers)).status_code

    assert await status({"x-api-token": one}) == 200
    assert await status({"x-api-token": f"Bearer {one}"}) == 200
    assert await status({"authorization": f"Bearer {one}", "x-api-token": one}) == 200
    assert await status({"authorization": f"Bearer {one}", "x-api-token": other}) == 401
    assert await status({}) == 401


async def test_every_role_may_use_exactly_the_operations_the_table_gives_it() -> None:
    tenants = Tenants()
    for (name, endpoint), role in product(ENDPOINTS.items(), ROLES):
        operation = next(each for each in tenants.sandbox.document.operations if each.id == name)
        # A path and body that name nothing: past the role check comes 400 or 404, so nothing is ever written.
        path = operation.path.removeprefix("/api/v2/admin").removeprefix("/api/v2/analytics")
        for hole in ("{id}", "{leaderboardConfigId}", "{gameConfigId}", "{tokenId}"):
            path = path.replace(hole, "0" * 24)
        answer = await tenants.ask(operation.method, path, [] if operation.takes else None, token=role)
        assert (answer.status_code != 403) == may(role, str(endpoint.permission)), (name, role)


async def test_a_community_bound_token_sees_its_community_and_no_other() -> None:
    tenants = Tenants()
    own = tenants.tokens["acme"]["community_id"]
    for path in ("challenges", "challenge-groups", "actions", "achievements", "rewards", "posts"):
        everything = await tenants.get(f"/{path}?limit=100")
        narrowed = await tenants.get(f"/{path}?limit=100", token="community")
        expected = [each["id"] for each in everything["edges"] if each["communityId"] == own]
        assert [each["id"] for each in narrowed["edges"]] == expected
        assert 0 < narrowed["totalCount"] == len(expected) < everything["totalCount"]
        foreign = next(each["id"] for each in everything["edges"] if each["communityId"] != own)
        assert refusal(await tenants.ask("GET", f"/{path}/{foreign}", token="community"))[0] == 404
    assert [each["id"] for each in (await tenants.get("/communities", token="community"))["edges"]] == [own]
    boards = (await tenants.get("/leaderboards/configs", token="community"))["edges"]
    assert {condition["communityId"] for board in boards for condition in board["conditions"]} == {own}
    users = (await tenants.get("/users?limit=100", token="community"))["edges"]
    assert {data["communityId"] for user in users for data in user["communityData"]} == {own}


async def test_a_community_bound_token_cannot_write_outside_its_community() -> None:
    tenants = Tenants()
    own = tenants.tokens["acme"]["community_id"]
    other = next(each["id"] for each in (await tenants.get("/communities"))["edges"] if each["id"] != own)

    async def create(community: str, **more: object) -> httpx.Response:
        body = {"communityId": community, "details": {"title": "x"}, **more}
        return await tenants.ask("POST", "/challenges", body, token="community")

    assert (await create(own)).status_code == 200
    assert refusal(await create(other))[0] == 404
    assert refusal(await create(own, additionalCommunityIds=[other]))[0] == 404
    for path, body in (("/tags", {"value": "x"}), ("/communities", {"name": "x", "slug": "x"})):
        assert refusal(await tenants.ask("POST", path, body, token="community"))[0] == 403
    tag = await tenants.first("/tags", token="community")
    assert refusal(await tenants.ask("PATCH", f"/tags/{tag['id']}", {"value": "x"}, token="community"))[0] == 403


async def test_nothing_of_another_community_changes_whatever_a_community_bound_token_sends() -> None:
    tenants = Tenants()
    own = tenants.tokens["acme"]["community_id"]
    bound = tenants.sandbox.mint("acme", role="admin", community=own)
    ids = await known_ids(tenants)
    everything = await tenants.get("/challenges?limit=100")
    for path in ("communities", "challenges", "challenge-groups", "actions", "achievements", "rewards", "posts"):
        found = (await tenants.get(f"/{path}?limit=100"))["edges"]
        ids[path] = next(each["id"] for each in found if each.get("communityId", each["id"]) != own)
    for operation in tenants.sandbox.document.operations:
        path = concrete(operation.path.removeprefix("/api/v2/admin"), operation.id, ids)
        if operation.method == "GET" or path.startswith(("/users/", "/leaderboards", "/rewards")):
            continue
        body = bodies(ids).get(operation.id, {} if operation.takes else None)
        answer = await tenants.ask(operation.method, path, body, token=bound)
        assert answer.status_code in (400, 403, 404), operation.id
    assert await tenants.get("/challenges?limit=100") == everything


async def test_a_revoked_token_stops_at_once_and_the_feed_says_so() -> None:
    tenants = Tenants()
    token = tenants.sandbox.mint("acme", role="viewer", token_id="one")
    assert (await tenants.ask("GET", "/tags", token=token)).status_code == 200
    before = await tenants.http.get(tenants.sandbox.revocations_url)
    same = await tenants.http.get(tenants.sandbox.revocations_url, headers={"if-none-match": before.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert (await tenants.ask("POST", "/auth-config/tokens/one/revoke")).status_code == 200
    assert (await tenants.ask("GET", "/tags", token=token)).status_code == 401
    after = await tenants.http.get(tenants.sandbox.revocations_url, headers={"if-none-match": before.headers["etag"]})
    assert "one" in {each["jti"] for each in after.json()["revoked"]}


async def test_only_an_admin_of_the_same_organisation_revokes() -> None:
    tenants = Tenants()
    token = tenants.sandbox.mint("acme", token_id="one")
    path = "/auth-config/tokens/one/revoke"
    assert refusal(await tenants.ask("POST", path, token="manager"))[0] == 403
    assert refusal(await tenants.ask("POST", path, organisation="globex"))[0] == 404
    bound = tenants.sandbox.mint("acme", role="admin", community=tenants.tokens["acme"]["community_id"])
    assert refusal(await tenants.ask("POST", path, token=bound))[0] == 403
    assert (await tenants.ask("GET", "/tags", token=token)).status_code == 200


async def test_keys_are_published_on_the_loopback_address() -> None:
    tenants = Tenants()
    assert tenants.sandbox.jwks_url.startswith(f"http://127.0.0.1:{PORT}/")
    keys = (await tenants.http.get(tenants.sandbox.jwks_url)).json()["keys"]
    assert [(key["kty"], key["alg"], key["use"]) for key in keys] == [("EC", "ES256", "sig")]
    assert "d" not in keys[0]


@pytest.mark.parametrize(
    ("send", "expected"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b'{"value": NaN}', "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"value=x", "headers": {"content-type": "application/x-www-form-urlencoded"}}, 415),
        ({"content": b" " * 1_000_001, "headers": {"content-type": "application/json"}}, 413),
    ],
)
async def test_a_body_that_is_not_reasonable_json_is_refused(send: dict[str, object], expected: int) -> None:
    tenants = Tenants()
    known = tenants.tokens["acme"]
    headers = {**send["headers"], "authorization": f"Bearer {known['tokens']['admin']}"}  # type: ignore[dict-item]  # a dict by construction
    answer = await tenants.http.post(f"{known['api_domain']}/tags", content=send["content"], headers=headers)  # type: ignore[arg-type]  # bytes
    assert refusal(answer)[0] == expected


async def test_unknown_paths_and_methods_are_refused_in_the_documented_shape() -> None:
    tenants = Tenants()
    assert refusal(await tenants.ask("GET", "/nothing"))[:2] == (404, "NOT_FOUND")
    assert refusal(await tenants.ask("PUT", "/challenges"))[:2] == (405, "METHOD_NOT_SUPPORTED")


def test_no_id_of_one_organisation_exists_in_the_other() -> None:
    sandbox = Sandbox(port=PORT)
    rows = sandbox._store.sql.execute("SELECT DISTINCT organisation, id FROM entity").fetchall()
    assert len(rows) == len({row["id"] for row in rows})
