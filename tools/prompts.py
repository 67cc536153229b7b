"""Prompts: the product's own templates as instructions that name the tools to use, for clients that show a menu."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tools.api import operations as op
from tools.spec import Operation, Permission, Subject, Verb

Render = Callable[[Mapping[str, str]], str]


@dataclass(frozen=True, slots=True)
class Supply:
    """Where values for an argument come from when the API has them.

    Parameters:
        operation: a list operation.
        member: the member of its items that is offered.
        permission: what the caller's role must cover, as for a tool.
    """

    operation: Operation
    member: str
    permission: Permission


@dataclass(frozen=True, slots=True)
class Argument:
    """One blank of a prompt; completed from `choices`, or from what `supply` lists."""

    name: str
    description: str
    required: bool = False
    choices: tuple[str, ...] = ()
    supply: Supply | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt: what a menu shows, its blanks, and the text once they are filled."""

    name: str
    description: str
    arguments: tuple[Argument, ...]
    render: Render


_COMMUNITY = Argument(
    "community",
    "Name of the community.",
    supply=Supply(op.GET_COMMUNITIES, "name", Permission(Verb.READ, Subject.COMMUNITY)),
)
_TAG = Argument("tag", "Tag to put on it.", supply=Supply(op.GET_TAGS, "value", Permission(Verb.READ, Subject.TAG)))
_DRAFT = "Leave it a draft, show me the result, and set it live only when I say so."


def _topic(description: str) -> Argument:
    return Argument("topic", description, required=True)


def _where(said: Mapping[str, str]) -> str:
    place = said.get("community")
    return (
        f'in the community "{place}" (its id: list_communities)'
        if place
        else "in a community I choose from list_communities"
    )


def _describe_tags(said: Mapping[str, str]) -> str:
    return (
        f' Tag it "{said["tag"]}"; make the tag with create_tag only if list_tags has none.' if said.get("tag") else ""
    )


def _new_challenge(said: Mapping[str, str]) -> str:
    return (
        f"Make a challenge about {said['topic']} {_where(said)}. Plan title, description, "
        f"{said.get('questions') or '3'} questions and {said.get('points') or '50'} points; check the plan with "
        f"create_challenge and dry_run, show it to me, then create it in that one call.{_describe_tags(said)} {_DRAFT}"
    )


def _new_reward(said: Mapping[str, str]) -> str:
    return (
        f"Make a reward: {said['topic']}, {_where(said)}, with a stock of {said.get('supply') or '100'}. Ask me how "
        f"people redeem it if I did not say, then use create_reward.{_describe_tags(said)} {_DRAFT}"
    )


def _achievement_series(said: Mapping[str, str]) -> str:
    return (
        f"Make a series of achievements from bronze to platinum about {said['topic']} {_where(said)}. Propose a "
        "threshold and points for each tier, and after my yes make all of them with create_achievement_series. "
        f"{_DRAFT}"
    )


def _build_feed_post(said: Mapping[str, str]) -> str:
    return (
        f"Write a feed post about {said['topic']} {_where(said)} in a {said.get('tone') or 'friendly'} tone, as simple "
        f"HTML. Show me the text first, then use create_post.{_describe_tags(said)} {_DRAFT}"
    )


def _theme_tuning(said: Mapping[str, str]) -> str:
    return (
        f"Tune the organisation's theme towards this: {said['wish']}. Read get_theme and keep its answer, propose "
        "colours for light and dark mode with enough contrast for reading, and after my yes use update_theme. If I do "
        "not like it, put the old values back the same way. It changes the site for everyone at once."
    )


def _weekly_report(said: Mapping[str, str]) -> str:
    place = said.get("community")
    about = f'the community "{place}" (its id: list_communities)' if place else "the organisation"
    return (
        f"Report on the last seven days of {about}: report_top_challenges with since, report_completion, "
        "report_points with days 7, report_rewards_low and report_top_users. Give the numbers that matter in ten "
        "lines, say what each rests on (basis, capped), and end with up to three things worth doing."
    )


PROMPTS: tuple[Prompt, ...] = (
    Prompt(
        "new_challenge",
        "Draft a challenge with its questions and points, then create it.",
        (
            _topic("What it is about."),
            _COMMUNITY,
            _TAG,
            Argument("questions", "How many questions.", choices=("1", "3", "5", "10")),
            Argument("points", "Points for completing it.", choices=("10", "50", "100")),
        ),
        _new_challenge,
    ),
    Prompt(
        "new_reward",
        "Draft a reward with its stock, then create it.",
        (_topic("What people get."), _COMMUNITY, _TAG, Argument("supply", "How many there are.")),
        _new_reward,
    ),
    Prompt(
        "achievement_series",
        "Draft achievements from bronze to platinum, then create them.",
        (_topic("What is achieved."), _COMMUNITY),
        _achievement_series,
    ),
    Prompt(
        "feed_post",
        "Write a post for the feed, then create it.",
        (
            _topic("What it is about."),
            _COMMUNITY,
            _TAG,
            Argument("tone", "How it sounds.", choices=("friendly", "formal", "playful", "urgent")),
        ),
        _build_feed_post,
    ),
    Prompt(
        "theme_tuning",
        "Retune colours and fonts of the site.",
        (Argument("wish", "How it should look.", required=True),),
        _theme_tuning,
    ),
    Prompt("weekly_report", "What happened in the last seven days.", (_COMMUNITY,), _weekly_report),
)
