"""A caller bound to communities: what lies outside is not there, and what belongs to all is not theirs to change."""

from collections.abc import Mapping
from typing import Any

import pytest

from server.access.community_filter import CommunityFilter
from tools.api import operations as op
from tools.refusals import Code, ToolError
from tools.shared.goals import goal
from tools.spec import Account, Caller, Operation

OURS, THEIRS, ALSO_OURS = "1" * 24, "2" * 24, "3" * 24
CALLER = Caller("ann", "a" * 24, "", ("manager",), "bearer", "builder", 2**31, (), (OURS,))


def id_of(number: int) -> str:
    return f"{number:024x}"


def entity(number: int, community: str | None = OURS, **more: Any) -> dict[str, Any]:
    return {"id": id_of(number), **({} if community is None else {"communityId": community}), **more}


class Organisation:
    """A tenant's API over some entities, whoever asks; remembers the requests."""

    caller = CALLER

    def __init__(self, *entities: dict[str, Any]) -> None:
        self.entities = list(entities)
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    async def note(self, account: Account) -> None:
        """Nobody asks later."""

    async def report(self, done: float, total: float | None = None, message: str | None = None) -> None:
        raise NotImplementedError

    async def call(
        self,
        operation: Operation,
        *,
        ids: Mapping[str, str] = {},
        query: Mapping[str, Any] = {},
        body: Any = None,
        language: str | None = None,
    ) -> Any:
        self.asked.append((operation.id, dict(query) | dict(ids)))
        if "limit" in query:
            found = [one for one in self.entities if query.get("communityId") in (None, one.get("communityId"))]
            page = found[query["skip"] : query["skip"] + query["limit"]]
            return {"totalCount": len(found), "edges": page}
        if ids:
            return next(one for one in self.entities if one["id"] == next(iter(ids.values())))
        return body

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.asked]


def bound(organisation: Organisation, *communities: str) -> CommunityFilter:
    return CommunityFilter(organisation, frozenset(communities or (OURS,)))


async def refused(
    organisation: Organisation, operation: Operation, *communities: str, id_: int | None = None, **more: Any
) -> Code:
    if id_ is not None:
        more["ids"] = {"id": id_of(id_)}
    with pytest.raises(ToolError) as caught:
        await bound(organisation, *communities).call(operation, **more)
    return caught.value.code


async def test_entities_of_the_own_community_and_of_none_can_be_read() -> None:
    organisation = Organisation(entity(1), entity(2, None))
    for number in (1, 2):
        found = await bound(organisation).call(op.GET_CHALLENGE, ids={"id": id_of(number)})
        assert found["id"] == id_of(number)


@pytest.mark.parametrize(
    "foreign",
    [
        entity(1, THEIRS),
        entity(1, THEIRS, additionalCommunityIds=[OURS]),
        entity(1, None, additionalCommunityIds=[THEIRS]),
        entity(1, None, conditions=[{"type": "community", "communityId": THEIRS}]),
    ],
    ids=["main", "main, shown in ours", "additional", "condition"],
)
async def test_an_entity_of_another_community_is_not_found(foreign: dict[str, Any]) -> None:
    organisation = Organisation(foreign)
    assert await refused(organisation, op.GET_CHALLENGE, id_=1) is Code.NOT_FOUND
    assert await refused(organisation, op.UPDATE_CHALLENGE, id_=1, body={"title": "x"}) is Code.NOT_FOUND
    assert organisation.operations == ["getChallenge", "getChallenge"]


async def test_a_list_counts_and_pages_only_what_the_caller_may_see() -> None:
    everything = [entity(number, (OURS, THEIRS, None)[number % 3]) for number in range(250)]
    visible = [one["id"] for one in everything if one.get("communityId") != THEIRS]
    seen: list[str] = []
    while True:
        page = await bound(Organisation(*everything)).call(op.GET_CHALLENGES, query={"limit": 50, "skip": len(seen)})
        assert page["totalCount"] == len(visible)
        if not page["edges"]:
            break
        seen += [one["id"] for one in page["edges"]]
    assert seen == visible


async def test_a_list_that_can_be_filtered_is_filtered_by_the_tenant_and_checked_all_the_same() -> None:
    organisation = Organisation(entity(1), entity(2, THEIRS), entity(3))
    page = await bound(organisation).call(op.GET_POSTS, query={"limit": 1, "skip": 1})
    assert (page["totalCount"], [one["id"] for one in page["edges"]]) == (2, [id_of(3)])
    assert organisation.asked[0][1]["communityId"] == OURS


async def test_a_caller_of_two_communities_sees_both() -> None:
    organisation = Organisation(entity(1), entity(2, THEIRS), entity(3, ALSO_OURS))
    page = await bound(organisation, OURS, ALSO_OURS).call(op.GET_POSTS, query={"limit": 20, "skip": 0})
    assert [one["id"] for one in page["edges"]] == [id_of(1), id_of(3)]


async def test_a_list_too_long_to_search_is_refused_rather_than_cut() -> None:
    organisation = Organisation(*(entity(number) for number in range(5_001)))
    assert await refused(organisation, op.GET_CHALLENGES, query={"limit": 20, "skip": 0}) is Code.RESULT_TOO_LARGE


async def test_asking_for_another_community_is_denied_before_anything_is_sent() -> None:
    organisation = Organisation()
    query = {"limit": 20, "skip": 0, "communityId": THEIRS}
    assert await refused(organisation, op.GET_POSTS, query=query) is Code.COMMUNITY_DENIED
    for body in ({"communityId": THEIRS}, {"communityId": OURS, "additionalCommunityIds": [OURS, THEIRS]}):
        assert await refused(organisation, op.CREATE_CHALLENGE, body=body) is Code.COMMUNITY_DENIED
    assert organisation.asked == []


async def test_the_other_communities_inside_an_answer_are_left_out() -> None:
    organisation = Organisation(
        entity(1, None, communityData=[{"communityId": OURS, "points": 1}, {"communityId": THEIRS, "points": 2}]),
        entity(2, OURS, additionalCommunityIds=[THEIRS, OURS], shown={"communityId": THEIRS}),
    )
    page = await bound(organisation).call(op.GET_USERS, query={"limit": 20, "skip": 0})
    assert page["edges"] == [
        entity(1, None, communityData=[{"communityId": OURS, "points": 1}]),
        entity(2, OURS, additionalCommunityIds=[OURS]),
    ]


async def test_a_community_is_its_own_community() -> None:
    organisation = Organisation({"id": OURS}, {"id": THEIRS})
    page = await bound(organisation).call(op.GET_COMMUNITIES, query={"limit": 20, "skip": 0})
    assert page == {"totalCount": 1, "edges": [{"id": OURS}]}
    await bound(organisation).call(op.UPDATE_COMMUNITY, ids={"id": OURS}, body={"name": "x"})
    for operation in (op.GET_COMMUNITY, op.UPDATE_COMMUNITY, op.DELETE_COMMUNITY):
        assert await refused(organisation, operation, ids={"id": THEIRS}) is Code.NOT_FOUND
    assert await refused(organisation, op.CREATE_COMMUNITY, body={"name": "x"}) is Code.COMMUNITY_DENIED


async def test_a_write_in_the_own_community_reads_first_and_goes_through() -> None:
    organisation = Organisation(entity(1))
    await bound(organisation).call(op.DELETE_CHALLENGE, ids={"id": id_of(1)})
    assert organisation.operations == ["getChallenge", "deleteChallenge"]


async def test_what_belongs_to_the_whole_organisation_is_read_only() -> None:
    organisation = Organisation(entity(1, None))
    assert await refused(organisation, op.DELETE_CHALLENGE, id_=1) is Code.COMMUNITY_DENIED
    for operation in (op.CREATE_TAG, op.UPDATE_THEME, op.INVITE_TEAM, op.CREATE_USER):
        assert await refused(organisation, operation, body={}) is Code.COMMUNITY_DENIED
    assert organisation.operations == ["getChallenge"]


async def test_what_is_shared_with_other_communities_is_read_only() -> None:
    organisation = Organisation(entity(1, OURS, additionalCommunityIds=[THEIRS]))
    assert await refused(organisation, op.UPDATE_CHALLENGE, id_=1, body={}) is Code.COMMUNITY_DENIED


async def test_everything_a_write_points_at_is_read_first_and_once() -> None:
    organisation = Organisation(entity(1), entity(2), entity(3, THEIRS))
    reordered = {"actionIds": [id_of(1), id_of(2), id_of(1)]}
    await bound(organisation).call(op.REORDER_ACTIONS, body=reordered)
    assert organisation.operations == ["getAction", "getAction", "reorderActions"]
    allocations = [{"rewardId": id_of(2)}, {"rewardId": id_of(3)}]
    body = {"rewardsConfig": {"allocations": allocations}}
    code = await refused(organisation, op.ASSIGN_CHALLENGE_DISTRIBUTION, id_=1, body=body)
    assert code is Code.NOT_FOUND
    assert "assignChallengeDistribution" not in organisation.operations


async def test_a_guard_applies_when_the_body_says_so() -> None:
    organisation = Organisation(entity(1), entity(2, THEIRS))
    own = {"allocatedTo": "challenge", "allocationId": id_of(1)}
    await bound(organisation).call(op.CREATE_ACTION, body=own)
    assert organisation.operations == ["getChallenge", "createAction"]
    foreign = {"allocatedTo": "achievement", "allocationId": id_of(2)}
    assert await refused(organisation, op.CREATE_ACTION, body=foreign) is Code.NOT_FOUND
    unknown = {"allocatedTo": "elsewhere", "allocationId": id_of(1)}
    assert await refused(organisation, op.CREATE_ACTION, body=unknown) is Code.COMMUNITY_DENIED


@pytest.mark.parametrize("event", ["challenge-completion", "achievement-completion", "question-vote"])
async def test_a_goal_counts_nothing_of_another_community(event: str) -> None:
    organisation = Organisation(entity(1), entity(2, THEIRS))
    await bound(organisation).call(op.CREATE_ACHIEVEMENT, body={"communityId": OURS} | goal(event, id_of(1), 3))
    foreign = {"communityId": OURS} | goal(event, id_of(2), 3)
    assert await refused(organisation, op.CREATE_ACHIEVEMENT, body=foreign) is Code.NOT_FOUND
    assert organisation.operations.count("createAchievement") == 1


async def test_a_distribution_is_read_through_what_it_belongs_to() -> None:
    organisation = Organisation(entity(1), entity(2, THEIRS), entity(3, None))
    for number in (1, 3):
        await bound(organisation).call(op.GET_CHALLENGE_DISTRIBUTION, ids={"id": id_of(number)})
    assert await refused(organisation, op.GET_CHALLENGE_DISTRIBUTION, id_=2) is Code.NOT_FOUND


@pytest.mark.parametrize("operation", [one for one in op.OPERATIONS if one.method != "GET"], ids=lambda one: one.id)
async def test_no_write_of_the_api_gets_through_without_a_community_of_the_callers(operation: Operation) -> None:
    foreign = Organisation(entity(1, THEIRS), entity(2, None))
    for number in (1, 2):
        ids = {name: id_of(number) for name in ("id", "leaderboardConfigId", "gameConfigId", "tokenId")}
        code = await refused(foreign, operation, ids=ids, body={"allocatedTo": "challenge", "allocationId": id_of(1)})
        assert code in {Code.NOT_FOUND, Code.COMMUNITY_DENIED}
    assert operation.id not in foreign.operations
