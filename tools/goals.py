"""A goal: an event that happens so many times, as the API's query and criteria."""

from typing import Annotated, Any

from pydantic import Field

from tools.spec import Given, Id

Event = Annotated[
    str,
    Field(
        pattern=r"^[a-z]+(-[a-z]+)+$",
        description="What is counted: challenge-completion, achievement-completion or an action key.",
    ),
]
Source = Annotated[Id | None, Field(description="Count only this challenge, achievement or action.")]
Target = Annotated[int, Field(ge=1, description="How many times.")]


class Goal(Given):
    """What earns an achievement: `target` times `event`."""

    event: Event
    source_id: Source = None
    target: Target

    def body(self) -> dict[str, Any]:
        """The members `queries` and `criteria` of the API's achievement inputs."""
        parameters = {"eventCategory": self.event.partition("-")[0], "eventSubCategory": self.event}
        if self.source_id is not None:
            parameters["eventSourceId"] = self.source_id
        reached = {"query": "goal", "operator": "==", "value": self.target}
        return {
            "queries": [{"type": "event", "alias": "goal", "parameters": parameters}],
            "criteria": {"type": "count", "parameters": reached},
        }
