"""A goal: an event that happens so many times, as the API's query and criteria."""

from typing import Annotated, Any

from pydantic import Field

from tools.spec import Id

Event = Annotated[
    str,
    Field(
        pattern=r"^[a-z]+(-[a-z]+)+$",
        description="challenge-completion, achievement-completion or an action key.",
    ),
]
Source = Annotated[Id | None, Field(description="Only of this, from list_challenges ...")]
Target = Annotated[int, Field(ge=1, description="How many times.")]


def goal(event: str, source_id: str | None, target: int) -> dict[str, Any]:
    """The members `queries` and `criteria` of the API's AchievementCreateInput: `target` times `event`."""
    parameters = {"eventCategory": event.partition("-")[0], "eventSubCategory": event}
    if source_id is not None:
        parameters["eventSourceId"] = source_id
    return {
        "queries": [{"type": "event", "alias": "goal", "parameters": parameters}],
        "criteria": {"type": "count", "parameters": {"query": "goal", "operator": "==", "value": target}},
    }
