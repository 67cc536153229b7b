"""What the tenant does where an operation is more than reading and writing one entity."""

from typing import Any

from server.sandbox.sandbox import Sandbox
from tests.support.sandbox_client import Tenants, refusal

NOBODY = "f" * 24


async def challenge(tenants: Tenants, **more: Any) -> Any:
    """A new challenge in the community of the community token."""
    own = tenants.tokens["acme"]["community_id"]
    body = {"communityId": own, "details": {"title": "New", "description": "Text"}, **more}
    return (await tenants.ask("POST", "/challenges", body)).json()


async def action(tenants: Tenants, owner: Any, title: str) -> Any:
    """A new action on a challenge."""
    body = {
        "communityId": owner["communityId"],
        "allocationId": owner["id"],
        "allocatedTo": "challenge",
        "category": "nudj",
        "key": "question-open-ended",
        "attributes": {"question": title},
        "details": {"title": title},
    }
    return (await tenants.ask("POST", "/actions", body)).json()


async def test_lists_page_through_everything_exactly_once_newest_first() -> None:
    tenants = Tenants()
    new = await challenge(tenants)
    seen: list[Any] = []
    while page := (await tenants.get(f"/challenges?limit=7&skip={len(seen)}"))["edges"]:
        seen += page
    assert len({each["id"] for each in seen}) == len(seen) == 35
    assert seen[0]["id"] == new["id"]
    assert [each["createdAt"] for each in seen] == sorted((each["createdAt"] for each in seen), reverse=True)
    assert (await tenants.get("/challenges?skip=1000"))["edges"] == []


async def test_the_two_organisations_have_different_numbers_of_everything_that_matters() -> None:
    tenants = Tenants()
    for path in ("challenges", "communities", "rewards", "users", "actions"):
        acme = (await tenants.get(f"/{path}?limit=1"))["totalCount"]
        globex = (await tenants.get(f"/{path}?limit=1", organisation="globex"))["totalCount"]
        assert acme != globex
        assert min(acme, globex) > 1


async def test_sort_search_and_filters_narrow_a_list() -> None:
    tenants = Tenants()
    most = (await tenants.get("/challenges?sort=-completedCount&limit=100"))["edges"]
    counts = [each["completedCount"] for each in most]
    assert counts == sorted(counts, reverse=True)
    found = await tenants.get("/challenges?search=MARS%20rover")
    assert [each["details"]["title"] for each in found["edges"]] == ["Members' Preview: Mars Rover"]
    assert found["totalCount"] == 1
    live = await tenants.get("/challenges?status=live&limit=100")
    assert {each["status"] for each in live["edges"]} == {"live"}
    bound = most[0]["createdAt"]
    recent = await tenants.get(f"/challenges?fromDate={bound}&limit=100")
    assert all(each["createdAt"] >= bound for each in recent["edges"])
    assert recent["totalCount"] == len([each for each in most if each["createdAt"] >= bound])


async def test_texts_are_kept_per_language_and_fall_back_to_the_organisations_own() -> None:
    tenants = Tenants()
    new = await challenge(tenants)
    german = {"x-language": "de"}
    path = f"/challenges/{new['id']}"
    changed = await tenants.ask("POST", path, {"details": {"title": "Neu"}, "featured": True}, headers=german)
    assert changed.json()["details"] == {"title": "Neu", "description": "Text"}
    assert (await tenants.get(path))["details"]["title"] == "New"
    assert (await tenants.get(path))["featured"] is True
    assert (await tenants.get(path, headers={"x-language": "fr"}))["details"]["title"] == "New"
    assert (await tenants.get("/challenges?search=neu&limit=1", headers=german))["edges"][0]["id"] == new["id"]
    assert refusal(await tenants.ask("GET", path, headers={"x-language": "../de"}))[0] == 400


async def test_a_slug_is_taken_once() -> None:
    tenants = Tenants()
    body = {"name": "One", "slug": "one"}
    assert (await tenants.ask("POST", "/communities", body)).status_code == 200
    assert refusal(await tenants.ask("POST", "/communities", body)) == (409, "CONFLICT", "createCommunity")
    other = await tenants.ask("POST", "/communities", {"name": "Two", "slug": "two"})
    assert refusal(await tenants.ask("POST", f"/communities/{other.json()['id']}", {"slug": "one"}))[0] == 409
    assert (await tenants.ask("POST", "/communities", body, organisation="globex")).status_code == 200


async def test_a_reference_to_what_does_not_exist_is_404_and_writes_nothing() -> None:
    tenants = Tenants()
    before = await tenants.get("/challenges?limit=100")
    foreign_tag = (await tenants.first("/tags", organisation="globex"))["id"]
    own = tenants.tokens["acme"]["community_id"]
    for more in (
        {"communityId": NOBODY},
        {"tags": [foreign_tag]},
        {"campaigns": [NOBODY]},
        {"availableAsTemplateForOrganisations": [tenants.sandbox.organisations["globex"].id]},
    ):
        body = {"communityId": own, "details": {"title": "x"}, **more}
        assert refusal(await tenants.ask("POST", "/challenges", body))[0] == 404
    assert await tenants.get("/challenges?limit=100") == before


async def test_actions_keep_their_order_and_their_challenge_counts_them() -> None:
    tenants = Tenants()
    owner = await challenge(tenants)
    first, second, third = [await action(tenants, owner, title) for title in ("one", "two", "three")]
    turned = [third["id"], first["id"], second["id"]]
    answer = await tenants.ask("PATCH", "/actions/reorder", {"allocationId": owner["id"], "actionIds": turned})
    assert [each["id"] for each in answer.json()] == turned
    assert [each["position"] for each in answer.json()] == [0, 1, 2]
    for wrong in (turned[:2], [*turned, turned[0]], [*turned[:2], NOBODY]):
        body = {"allocationId": owner["id"], "actionIds": wrong}
        assert refusal(await tenants.ask("PATCH", "/actions/reorder", body))[0] == 400
    await tenants.ask("DELETE", f"/actions/{first['id']}")
    now = await tenants.get(f"/challenges/{owner['id']}")
    assert (now["actionIds"], now["numberOfActions"]) == ([third["id"], second["id"]], 2)
    await tenants.ask("DELETE", f"/challenges/{owner['id']}")
    assert (await tenants.get(f"/actions?allocationId={owner['id']}"))["totalCount"] == 0


async def test_a_distribution_adds_changes_and_removes_allocations() -> None:
    tenants = Tenants()
    owner = await challenge(tenants)
    reward = (await tenants.first("/rewards"))["id"]
    path = f"/challenges/{owner['id']}/distribution"

    async def assign(*allocations: Any, points: int = 50) -> Any:
        config = {"mechanism": "random", "amountToDistribute": 1, "allocations": list(allocations)}
        body = {"pointsToDistribute": points, "bonusXpToDistribute": 5, "rewardsConfig": config}
        return await tenants.ask("POST", path, body)

    one, two = (await assign({"rewardId": reward, "supply": 5}, {"rewardId": reward, "supply": 6})).json()[
        "rewardsConfig"
    ]["allocations"]
    assert one["id"] != two["id"]
    changed = (await assign({"id": one["id"], "supply": 9}, points=70)).json()
    assert changed["rewardsConfig"]["allocations"] == [{**one, "supply": 9}]
    assert refusal(await assign({"id": two["id"], "supply": 1}))[0] == 400
    assert await tenants.get(path) == changed
    summary = (await tenants.get(f"/challenges/{owner['id']}"))["rewardDistribution"]
    assert (summary["points"], summary["xp"]) == (70, 5)
    assert summary["rewardAllocations"][0]["allocationId"] == one["id"]


async def test_prizes_by_rank_must_not_overlap() -> None:
    tenants = Tenants()
    board = (await tenants.first("/leaderboards/configs"))["id"]
    path = f"/leaderboards/{board}/distribution"
    good = [{"startRank": 1, "endRank": 1, "pointsToDistribute": 9}, {"startRank": 2, "endRank": 5}]
    assert (await tenants.ask("POST", path, {"rewards": good})).status_code == 200
    assert [each["startRank"] for each in (await tenants.get(path))["rewards"]] == [1, 2]
    for wrong in ([{"startRank": 3, "endRank": 2}], [{"startRank": 1, "endRank": 4}, {"startRank": 4}]):
        assert refusal(await tenants.ask("POST", path, {"rewards": wrong}))[0] == 400


async def test_a_gift_credits_people_and_takes_from_the_stock_or_does_nothing() -> None:
    tenants = Tenants()
    own = tenants.tokens["acme"]["community_id"]
    person = await tenants.first("/users")
    reward = next(
        each
        for each in (await tenants.get("/rewards?limit=100"))["edges"]
        if each["details"]["title"] == "Planetarium Ticket"
    )

    async def give(quantity: int) -> Any:
        body = {
            "rewards": [{"rewardId": reward["id"], "allocationType": "assets", "quantity": quantity}],
            "xpToDistribute": 5,
            "pointsToDistribute": 10,
            "distributionMechanism": "all",
            "amountToDistribute": 1,
            "userIds": [person["id"], NOBODY],
            "communityId": own,
        }
        return await tenants.ask("POST", "/rewards/manual-distribution", body)

    answer = (await give(2)).json()
    assert (answer["usersProcessed"], answer["failedUserIds"], answer["success"]) == (1, [NOBODY], False)
    assert (await tenants.get(f"/users/{person['id']}"))["points"] == person["points"] + 10
    assert (await tenants.get(f"/rewards/{reward['id']}"))["allocations"][0]["distributed"] == 119
    assert refusal(await give(2))[0] == 400
    assert (await tenants.get(f"/users/{person['id']}"))["points"] == person["points"] + 10


async def test_a_giveaway_is_drawn_once_and_only_by_hand() -> None:
    tenants = Tenants()
    winners = {"winners": [{"userId": (await tenants.first("/users"))["id"], "quantity": 1}]}
    rewards = (await tenants.get("/rewards?limit=100"))["edges"]
    by_hand = next(each["id"] for each in rewards if each["isManualGiveaway"])
    other = next(each["id"] for each in rewards if not each["isManualGiveaway"])
    assert refusal(await tenants.ask("POST", f"/rewards/{other}/process-giveaway", winners))[0] == 400
    nobody = {"winners": [{"userId": NOBODY, "quantity": 1}]}
    assert refusal(await tenants.ask("POST", f"/rewards/{by_hand}/process-giveaway", nobody))[0] == 404
    assert (await tenants.ask("POST", f"/rewards/{by_hand}/process-giveaway", winners)).status_code == 200
    assert refusal(await tenants.ask("POST", f"/rewards/{by_hand}/process-giveaway", winners))[0] == 409


async def test_erasing_a_user_keeps_the_figures_and_forgets_the_person() -> None:
    tenants = Tenants()
    person = next(each for each in (await tenants.get("/users?limit=100"))["edges"] if each["username"] == "ada")
    answer = await tenants.ask("DELETE", f"/users/{person['id']}")
    assert answer.json()["success"] is True
    after = await tenants.get(f"/users/{person['id']}")
    assert "ada" not in str(after).lower().replace(person["id"], "")
    assert (after["points"], after["isAnonymous"]) == (person["points"], True)


async def test_analytics_add_up_from_the_users_own_counters() -> None:
    tenants = Tenants()
    for person in (await tenants.get("/users?limit=100"))["edges"]:
        details = await tenants.get(f"/users/details?userId={person['id']}")
        done = [each for each in details["challenges"] if each["status"] == "completed"]
        assert details["stats"]["totalChallengesCompleted"] == len(done) <= details["stats"]["totalChallengesStarted"]
        assert details["stats"]["totalPoints"] == person["points"]
    assert refusal(await tenants.ask("GET", "/users/details"))[0] == 400


async def test_templates_are_the_entities_offered_as_such() -> None:
    tenants = Tenants()
    for path in ("achievements", "actions", "challenges", "posts", "rewards", "communities"):
        assert (await tenants.get(f"/templates/{path}"))["totalCount"] > 0
    new = await challenge(tenants, isGlobalTemplate=True)
    assert new["id"] in {each["id"] for each in (await tenants.get("/templates/challenges"))["edges"]}


async def test_what_an_organisation_has_one_of_is_merged_or_replaced_as_documented() -> None:
    tenants = Tenants()
    before = await tenants.get("/themes")
    changed = await tenants.ask("PATCH", "/themes", {"theme": {"colors": {"light": {"primary": "#000000"}}}})
    assert changed.json()["theme"]["colors"]["light"]["primary"] == "#000000"
    assert changed.json()["theme"]["colors"]["dark"] == before["theme"]["colors"]["dark"]
    hooks = {"configs": [{"events": ["challenge-completion"], "url": "https://acme.example/hook"}]}
    assert len((await tenants.ask("PUT", "/webhooks/configs", hooks)).json()["configs"]) == 1
    assert (await tenants.ask("POST", "/domains", {"domain": "New.Acme.example"})).json()["success"] is True
    assert refusal(await tenants.ask("POST", "/domains", {"domain": "new.acme.example"}))[0] == 409
    left = await tenants.ask("POST", "/domains/remove", {"domain": "new.acme.example"})
    assert "new.acme.example" not in left.json()["customDomains"]
    assert refusal(await tenants.ask("POST", "/domains/remove", {"domain": "new.acme.example"}))[0] == 404


async def test_a_new_organisation_answers_at_its_own_host_and_not_to_this_token() -> None:
    tenants = Tenants()
    body = {"name": "Initech", "slug": "initech", "language": "en", "timezone": "UTC", "location": "US"}
    made = await tenants.ask("POST", "/organisations", {**body, "emails": ["bill@initech.example"]})
    assert refusal(await tenants.ask("GET", f"/organisations/{made.json()['id']}"))[0] == 404
    token = tenants.tokens["acme"]["tokens"]["admin"]
    url = tenants.sandbox.organisations["acme"].api_domain.replace("acme.", "initech.") + "/challenges"
    answer = await tenants.http.get(url, headers={"authorization": f"Bearer {token}"})
    assert refusal(answer)[0] == 403
    assert refusal(await tenants.ask("POST", "/organisations", {**body, "emails": ["a@b.example"]}))[0] == 409


async def test_a_database_file_outlives_the_process_and_only_its_owner_reads_it(tmp_path: Any) -> None:
    file = tmp_path / "tenant.db"
    before = Tenants(Sandbox(port=4999, database=file))
    new = await challenge(before)
    token = before.tokens["acme"]["tokens"]["viewer"]
    after = Tenants(Sandbox(port=4999, database=file))
    assert (await after.get(f"/challenges/{new['id']}", token=token))["id"] == new["id"]
    assert file.stat().st_mode & 0o077 == 0
