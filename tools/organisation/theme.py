"""The theme: how the site looks. Colours are one flat list both ways, so that what is read can be sent back."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import Field
from pydantic.alias_generators import to_camel

from tools.api import operations as op
from tools.shared.changes import changes
from tools.spec import Effect, Nothing, Permission, Subject, TenantApi, Tool, ToolInput, ToolOutput, Verb

Mode = Literal["light", "dark"]
ColorName = Literal[
    "background",
    "card",
    "card_foreground",
    "foreground",
    "popover",
    "popover_foreground",
    "primary",
    "primary_foreground",
    "secondary",
    "secondary_foreground",
    "muted",
    "muted_foreground",
    "accent",
    "accent_foreground",
    "destructive",
    "destructive_foreground",
    "border",
    "input",
    "ring",
    "success",
    "success_foreground",
]


class Color(ToolOutput):
    """One colour of one mode."""

    mode: str
    name: str
    value: str


class Theme(ToolOutput):
    """The theme in force."""

    font_family: str | None = None
    border_radius: str | None = None
    forced_mode: str | None = None
    light_logo_url: str | None = None
    dark_logo_url: str | None = None
    colors: tuple[Color, ...] = ()


async def get_theme(_given: Nothing, api: TenantApi) -> Theme:
    """The organisation's theme."""
    return _shape(await api.call(op.GET_THEME))


class Paint(ToolInput):
    """One colour to set."""

    mode: Annotated[Mode, Field(description="Where.")]
    name: Annotated[ColorName, Field(description="What is coloured.")]
    value: Annotated[str, Field(min_length=1, description="Such as #1d4ed8.")]


class Update(ToolInput):
    """Arguments of update_theme; only the members given change."""

    colors: Annotated[list[Paint] | None, Field(description="Colours to set; the others stay.")] = None
    font_family: Annotated[str | None, Field(min_length=1, description="CSS family.")] = None
    border_radius: Annotated[str | None, Field(max_length=20, description="Such as 0.5rem.")] = None


async def update_theme(given: Update, api: TenantApi) -> Theme:
    """The theme with some members changed."""
    return _shape(await api.call(op.UPDATE_THEME, body=_body(given)))


def _body(given: Update) -> dict[str, Any]:
    look: dict[str, Any] = changes(given, "colors", "font_family")
    if given.font_family is not None:
        look["font"] = {"family": given.font_family}
    for paint in given.colors or ():
        look.setdefault("colors", {}).setdefault(paint.mode, {})[to_camel(paint.name)] = paint.value
    return {"theme": look} if look else {}


def _shape(found: Any) -> Theme:
    whole = _Whole.model_validate(found)
    assets, look = whole.theme_assets, whole.theme
    return Theme(
        font_family=look.font.family,
        border_radius=look.border_radius,
        forced_mode=look.forced_theme,
        light_logo_url=assets.light.logo,
        dark_logo_url=assets.dark.logo,
        colors=tuple(_colors(look.colors)),
    )


def _colors(found: dict[str, Any]) -> Iterator[Color]:
    for mode in get_args(Mode):
        for name in get_args(ColorName):
            value = (found.get(mode) or {}).get(to_camel(name))
            if isinstance(value, str):
                yield Color(mode=mode, name=name, value=value)


class _Font(ToolOutput):
    family: str | None = None


class _Look(ToolOutput):
    font: _Font = _Font()
    border_radius: str | None = None
    forced_theme: str | None = None
    colors: dict[str, Any] = Field(default_factory=dict)


class _Asset(ToolOutput):
    logo: str | None = None


class _Assets(ToolOutput):
    light: _Asset = _Asset()
    dark: _Asset = _Asset()


class _Whole(ToolOutput):
    theme: _Look = _Look()
    theme_assets: _Assets = _Assets()


GET = Tool(
    name="get_theme",
    description="Reads the theme: colours, font, logos. To change it, use update_theme.",
    effect=Effect.READ,
    permissions=(Permission(Verb.READ, Subject.THEME),),
    takes=Nothing,
    gives=Theme,
    run=get_theme,
    toolset="theme",
    operations=(op.GET_THEME,),
)
UPDATE = Tool(
    name="update_theme",
    description="Changes the theme for everyone at once. Keep get_theme's answer to go back.",
    effect=Effect.CHANGE,
    permissions=(Permission(Verb.UPDATE, Subject.THEME),),
    takes=Update,
    gives=Theme,
    run=update_theme,
    toolset="theme",
    operations=(op.UPDATE_THEME,),
)

TOOLS = (GET, UPDATE)
