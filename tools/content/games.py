"""Games: the playable configs behind a play-game action; prizes are set with set_distribution."""

from typing import Annotated, Any, Literal

from pydantic import Field

from tools.api import operations as op
from tools.shared.paging import Page, PageOf, page
from tools.shared.texts import ChangedTitle, Description, NewDescription, NewTitle, Title, brief, content
from tools.spec import (
    Effect,
    Id,
    IdempotentInput,
    Language,
    Permission,
    Subject,
    TenantApi,
    Tool,
    ToolInput,
    ToolOutput,
    Verb,
)

GameId = Annotated[Id, Field(description="From list_games.")]
GameType = Literal["catch", "memory", "scratch"]
Content = Annotated[
    dict[str, Any],
    Field(description="clientBranding, gameConfig, textContent; as in get_game."),
]


class Game(ToolOutput):
    """A game as a list shows it."""

    id: str
    title: Title = None
    description: Annotated[Description, brief("get_game")] = None
    game_type: str
    progress_period: str | None = None
    max_completions_per_period: float | None = None


class Config(ToolOutput):
    """What makes a game its own; the three known parts, their inside as the tenant wrote it."""

    client_branding: dict[str, Any] | None = None
    game_config: dict[str, Any] | None = None
    text_content: dict[str, Any] | None = None


class FullGame(Game):
    """A game with its content."""

    description: Description = None
    config: Config


class List(PageOf):
    """Arguments of list_games."""

    language: Language = None


async def list_games(given: List, api: TenantApi) -> Page[Game]:
    """One page of games, without their content."""
    return await page(api, op.GET_GAME_CONFIGS, Game, given, language=given.language)


class Get(ToolInput):
    """Arguments of get_game."""

    id: GameId
    language: Language = None


async def get_game(given: Get, api: TenantApi) -> FullGame:
    """One game with its content."""
    answer = await api.call(op.GET_GAME_CONFIG, ids={"id": given.id}, language=given.language)
    return FullGame.model_validate(answer)


class Create(IdempotentInput):
    """Arguments of create_game."""

    title: NewTitle
    description: NewDescription = None
    game_type: Annotated[GameType, Field(description="Kind.")]
    config: Content


async def create_game(given: Create, api: TenantApi) -> FullGame:
    """A new game."""
    return FullGame.model_validate(await api.call(op.CREATE_GAME_CONFIG, body=_body(given, given.config)))


class Update(ToolInput):
    """Arguments of update_game; only the members given change."""

    id: GameId
    title: ChangedTitle = None
    description: NewDescription = None
    config: Annotated[Content | None, Field(description="As in get_game; replaces all.")] = None
    language: Language = None


async def update_game(given: Update, api: TenantApi) -> FullGame:
    """A game with some members changed."""
    body = _body(given, given.config)
    answer = await api.call(op.UPDATE_GAME_CONFIG, ids={"id": given.id}, body=body, language=given.language)
    return FullGame.model_validate(answer)


def _body(given: ToolInput, config: dict[str, Any] | None) -> dict[str, Any]:
    # The content's own member names are the tenant's, so they are not re-written.
    return content(given, "id", "config") | ({} if config is None else {"config": config})


def _may(verb: Verb) -> tuple[Permission, ...]:
    return (Permission(verb, Subject.GAME),)


LIST = Tool(
    name="list_games",
    description="Lists games. For their content, use get_game.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=List,
    gives=Page[Game],
    run=list_games,
    toolset="games",
    operations=(op.GET_GAME_CONFIGS,),
)
GET = Tool(
    name="get_game",
    description="Reads one game with its content. To find its id, use list_games.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=Get,
    gives=FullGame,
    run=get_game,
    toolset="games",
    operations=(op.GET_GAME_CONFIG,),
)
CREATE = Tool(
    name="create_game",
    description="Creates a game. Start from get_game of a similar one.",
    effect=Effect.CREATE,
    permissions=_may(Verb.CREATE),
    takes=Create,
    gives=FullGame,
    run=create_game,
    toolset="games",
    operations=(op.CREATE_GAME_CONFIG,),
)
UPDATE = Tool(
    name="update_game",
    description="Changes a game. To find its id, use list_games.",
    effect=Effect.CHANGE,
    permissions=_may(Verb.UPDATE),
    takes=Update,
    gives=FullGame,
    run=update_game,
    toolset="games",
    operations=(op.UPDATE_GAME_CONFIG,),
)

TOOLS = (LIST, GET, CREATE, UPDATE)
