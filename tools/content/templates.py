"""Templates: ready-made content of six kinds, read through one tool because all six read alike."""

from typing import Annotated, Literal

from pydantic import Field

from tools.api import operations as op
from tools.shared.paging import Page, PageOf, page
from tools.shared.texts import Description, Title, brief
from tools.spec import Effect, Language, Operation, Permission, Subject, TenantApi, Tool, ToolOutput, Verb

Kind = Literal["achievements", "actions", "challenges", "posts", "rewards", "communities"]


class Template(ToolOutput):
    """A template; `name` for communities, `title` for the rest, `key` for actions."""

    id: str
    name: str | None = None
    title: Title = None
    description: Annotated[Description, brief("the admin panel")] = None
    key: str | None = None
    status: str | None = None


class List(PageOf):
    """Arguments of list_templates."""

    kind: Annotated[Kind, Field(description="What the templates make.")]
    language: Language = None


async def list_templates(given: List, api: TenantApi) -> Page[Template]:
    """One page of the templates of one kind."""
    return await page(api, _operation(given.kind), Template, given, language=given.language)


def _operation(kind: Kind) -> Operation:
    match kind:
        case "achievements":
            return op.GET_ACHIEVEMENT_TEMPLATES
        case "actions":
            return op.GET_ACTION_TEMPLATES
        case "challenges":
            return op.GET_CHALLENGE_TEMPLATES
        case "posts":
            return op.GET_POST_TEMPLATES
        case "rewards":
            return op.GET_REWARD_TEMPLATES
        case "communities":
            return op.GET_COMMUNITY_TEMPLATES


LIST = Tool(
    name="list_templates",
    description="Lists ready-made content. For your own, use list_challenges and its like.",
    effect=Effect.READ,
    permissions=(Permission(Verb.READ, Subject.TEMPLATE),),
    takes=List,
    gives=Page[Template],
    run=list_templates,
    toolset="templates",
    progress=True,
    operations=(
        op.GET_ACHIEVEMENT_TEMPLATES,
        op.GET_ACTION_TEMPLATES,
        op.GET_CHALLENGE_TEMPLATES,
        op.GET_POST_TEMPLATES,
        op.GET_REWARD_TEMPLATES,
        op.GET_COMMUNITY_TEMPLATES,
    ),
)

TOOLS = (LIST,)
