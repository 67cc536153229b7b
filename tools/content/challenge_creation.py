"""Making a challenge, its actions, distribution and status in one call; the status last, so that nobody sees half."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from tools.api import operations as op
from tools.content.action_creation import NewAction
from tools.people.communities import CommunityId
from tools.shared.payouts import Paying
from tools.shared.schedules import Window
from tools.shared.steps import Planned, Step, ToolCall, name_later
from tools.shared.tag_lookup import READ_TAGS, TagNames, tag_ids
from tools.shared.texts import Featured, NewDescription, NewStatus, NewTitle, content
from tools.shared.workflows import Chain, Chaining, check_community
from tools.spec import Effect, Language, Permission, Subject, TenantApi, Tool, ToolOutput, Verb

_LATER = name_later("challenge")


class Create(Chaining, Window, Paying):
    """Arguments of create_challenge."""

    community_id: CommunityId
    title: NewTitle
    description: NewDescription = None
    actions: Annotated[Sequence[NewAction], Field(max_length=30, description="In order.")] = ()
    tags: TagNames = None
    status: NewStatus = "draft"
    featured: Featured = None
    language: Language = None


class Created(ToolOutput):
    """What create_challenge made, or with dry_run would make."""

    id: str | None = None
    title: str | None = None
    status: str | None = None
    community_id: str | None = None
    action_ids: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    points: int | None = None
    xp: int | None = None
    plan: tuple[Planned, ...] | None = None


async def create_challenge(given: Create, api: TenantApi) -> Created:
    """A new challenge with all that belongs to it, or the plan of it."""
    given = given.model_copy(update={"tags": await tag_ids(given.tags, api)})
    planned = _steps(given, _LATER)
    if given.dry_run:
        await check_community(api, given.community_id)
        return Created(plan=tuple(step.plan for step in planned))
    chain = Chain(api, "challenge", len(planned), given.language)
    challenge_id = await chain.create(planned[0], planned[1:])
    made = await chain.follow(_steps(given, challenge_id)[1:])
    return Created(
        id=challenge_id,
        title=given.title,
        status=given.status,
        community_id=given.community_id,
        action_ids=tuple(str(one["id"]) for one in made[: len(given.actions)] if "id" in one),
        tags=None if given.tags is None else tuple(given.tags),
        points=given.points,
        xp=given.xp,
    )


def _steps(given: Create, challenge_id: str) -> tuple[Step, ...]:
    """Everything to do, with tags as ids; the first step makes the challenge, the others build on it."""
    body = content(given, "actions", "dry_run", *Paying.model_fields) | {"status": "draft"}
    alone = ToolCall("create_challenge", given.model_dump(exclude_defaults=True, exclude={"request_key"}))
    steps = [Step(op.CREATE_CHALLENGE, body, alone)]
    steps += [_action(given, challenge_id, action) for action in given.actions]
    steps += given.payouts("challenge", challenge_id)
    if given.status != "draft":
        alone = ToolCall("update_challenge", {"id": challenge_id, "status": given.status})
        steps.append(Step(op.UPDATE_CHALLENGE, {"status": given.status}, alone, {"id": challenge_id}))
    return tuple(steps)


def _action(given: Create, challenge_id: str, action: NewAction) -> Step:
    owner = {"owner_type": "challenge", "owner_id": challenge_id, "community_id": given.community_id}
    alone = ToolCall("create_action", owner | {"action": action.model_dump(exclude_defaults=True)})
    return Step(op.CREATE_ACTION, action.body(given.community_id, "challenge", challenge_id), alone)


CREATE = Tool(
    name="create_challenge",
    description=(
        "Creates a challenge with actions, points, XP, a reward, tags and status in one call; "
        "to add to an existing one use create_action or set_distribution. Example: "
        '{"community_id": "...", "title": "Moon quiz", "points": 50, "tags": ["Science Fans"], "status": "live", '
        '"actions": [{"key": "question-multiple-choice", "title": "First on the Moon?", '
        '"options": ["Armstrong", "Gagarin"], "correct": ["Armstrong"]}]}'
    ),
    effect=Effect.CREATE,
    permissions=(
        Permission(Verb.CREATE, Subject.CHALLENGE),
        Permission(Verb.CREATE, Subject.ACTION),
        Permission(Verb.UPDATE, Subject.DISTRIBUTION),
        Permission(Verb.UPDATE, Subject.CHALLENGE),
        Permission(Verb.READ, Subject.COMMUNITY),
        READ_TAGS,
    ),
    takes=Create,
    gives=Created,
    run=create_challenge,
    toolset="challenges",
    progress=True,
    operations=(
        op.GET_TAGS,
        op.GET_COMMUNITY,
        op.CREATE_CHALLENGE,
        op.CREATE_ACTION,
        op.ASSIGN_CHALLENGE_DISTRIBUTION,
        op.UPDATE_CHALLENGE,
    ),
)

TOOLS = (CREATE,)
