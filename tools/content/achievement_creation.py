"""Making achievements: achievement, distribution and status in one call, for one or for a series of tiers."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, field_validator

from tools.api import operations as op
from tools.people.communities import CommunityId
from tools.shared.goals import Event, Source, Target, goal
from tools.shared.payouts import Paying
from tools.shared.schedules import Window
from tools.shared.steps import Planned, Step, ToolCall, name_later
from tools.shared.tag_lookup import READ_TAGS, TagNames, tag_ids
from tools.shared.texts import NewDescription, NewStatus, NewTitle, content
from tools.shared.workflows import Chain, Chaining, check_community
from tools.spec import Effect, Language, Permission, Subject, TenantApi, Tool, ToolOutput, Verb

_LATER = name_later("achievement")
_SHARED = ("community_id", "description", "event", "source_id", "status", "language")


class Create(Chaining, Window, Paying):
    """Arguments of create_achievement."""

    community_id: Annotated[CommunityId | None, Field(description="From list_communities; absent: all.")] = None
    title: NewTitle
    description: NewDescription = None
    event: Event
    source_id: Source = None
    target: Target
    tags: TagNames = None
    status: NewStatus = "draft"
    language: Language = None


class Made(ToolOutput):
    """One achievement that was made."""

    id: str
    title: str
    status: str
    target: int


class Created(ToolOutput):
    """What was made, or with dry_run would be."""

    id: str | None = None
    title: str | None = None
    status: str | None = None
    community_id: str | None = None
    plan: tuple[Planned, ...] | None = None


async def create_achievement(given: Create, api: TenantApi) -> Created:
    """A new achievement with what it pays out, or the plan of it."""
    given = given.model_copy(update={"tags": await tag_ids(given.tags, api)})
    if given.dry_run:
        await check_community(api, given.community_id)
        return Created(plan=tuple(step.plan for step in _steps(given, _LATER)))
    chain = Chain(api, "achievement", len(_steps(given, _LATER)), given.language)
    made = await _make(chain, given)
    return Created(id=made.id, title=made.title, status=made.status, community_id=given.community_id)


class Tier(Paying):
    """One rung of a series."""

    name: Annotated[str, Field(min_length=1, description="Such as Bronze.")]
    target: Target


class CreateSeries(Chaining):
    """Arguments of create_achievement_series."""

    community_id: Annotated[CommunityId | None, Field(description="From list_communities; absent: all.")] = None
    title: Annotated[NewTitle, Field(description="Tier names are added.")]
    description: NewDescription = None
    event: Event
    source_id: Source = None
    tiers: Annotated[Sequence[Tier], Field(min_length=2, max_length=10, description="Lowest target first.")]
    tags: TagNames = None
    status: NewStatus = "draft"
    language: Language = None

    @field_validator("tiers")
    @classmethod
    def _rising(cls, tiers: Sequence[Tier]) -> Sequence[Tier]:
        targets = [tier.target for tier in tiers]
        if sorted(set(targets)) != targets:
            raise ValueError(f"targets must rise from tier to tier, not {targets}")
        return tiers


class Series(ToolOutput):
    """The achievements of a series, lowest first, or with dry_run the plan."""

    achievements: tuple[Made, ...] | None = None
    plan: tuple[Planned, ...] | None = None


async def create_achievement_series(given: CreateSeries, api: TenantApi) -> Series:
    """One achievement per tier, each with what it pays out, or the plan of them."""
    tags = await tag_ids(given.tags, api)
    tiers = [_tier(given, tier, tags) for tier in given.tiers]
    steps = [step for tier in tiers for step in _steps(tier, _LATER)]
    if given.dry_run:
        await check_community(api, given.community_id)
        return Series(plan=tuple(step.plan for step in steps))
    chain = Chain(api, "achievement", len(steps), given.language)
    later = [_alone(tier) for tier in tiers]
    return Series(achievements=tuple([await _make(chain, tier, later[n:]) for n, tier in enumerate(tiers, 1)]))


def _tier(given: CreateSeries, tier: Tier, tags: list[str] | None) -> Create:
    shared = {name: getattr(given, name) for name in _SHARED}
    own = tier.model_dump(exclude={"name"})
    return Create(title=f"{given.title}: {tier.name}", tags=tags, **shared, **own)


async def _make(chain: Chain, given: Create, later: Sequence[ToolCall] = ()) -> Made:
    first, *own = _steps(given, _LATER)
    achievement_id = await chain.create(first, own, later)
    await chain.follow(_steps(given, achievement_id)[1:], later)
    return Made(id=achievement_id, title=given.title, status=given.status, target=given.target)


def _steps(given: Create, achievement_id: str) -> tuple[Step, ...]:
    """Everything to do, with tags as ids; the first step makes the achievement, the others build on it."""
    body = content(given, "event", "source_id", "target", "dry_run", *Paying.model_fields) | {
        "status": "draft",
        **goal(given.event, given.source_id, given.target),
    }
    steps = [Step(op.CREATE_ACHIEVEMENT, body, _alone(given))]
    steps += given.payouts("achievement", achievement_id)
    if given.status != "draft":
        alone = ToolCall("update_achievement", {"id": achievement_id, "status": given.status})
        steps.append(Step(op.UPDATE_ACHIEVEMENT, {"status": given.status}, alone, {"id": achievement_id}))
    return tuple(steps)


def _alone(given: Create) -> ToolCall:
    return ToolCall("create_achievement", given.model_dump(exclude_defaults=True, exclude={"request_key", "dry_run"}))


_NEEDS = (
    Permission(Verb.CREATE, Subject.ACHIEVEMENT),
    Permission(Verb.UPDATE, Subject.ACHIEVEMENT),
    Permission(Verb.UPDATE, Subject.DISTRIBUTION),
    Permission(Verb.READ, Subject.COMMUNITY),
    READ_TAGS,
)
_MAKES = (
    op.GET_TAGS,
    op.GET_COMMUNITY,
    op.CREATE_ACHIEVEMENT,
    op.ASSIGN_ACHIEVEMENT_DISTRIBUTION,
    op.UPDATE_ACHIEVEMENT,
)

CREATE = Tool(
    name="create_achievement",
    description=(
        "Creates an achievement with its goal, points, XP, a reward and status in one call. "
        "For bronze to platinum use create_achievement_series."
    ),
    effect=Effect.CREATE,
    permissions=_NEEDS,
    takes=Create,
    gives=Created,
    run=create_achievement,
    toolset="achievements",
    progress=True,
    operations=_MAKES,
)
SERIES = Tool(
    name="create_achievement_series",
    description=(
        "Creates one achievement per tier, bronze to platinum, for the same event in rising numbers. "
        "For a single one use create_achievement."
    ),
    effect=Effect.CREATE,
    permissions=_NEEDS,
    takes=CreateSeries,
    gives=Series,
    run=create_achievement_series,
    toolset="achievements",
    progress=True,
    operations=_MAKES,
)

TOOLS = (CREATE, SERIES)
