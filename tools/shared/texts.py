"""Title and description: flat for an agent, under `details` in the API."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasPath, Field

from tools.shared.changes import changes
from tools.spec import Period, Status, ToolInput

LONG = 500
"""Characters of a text that a list item shows."""

Title = Annotated[str | None, Field(validation_alias=AliasPath("details", "title"))]
Description = Annotated[str | None, Field(validation_alias=AliasPath("details", "description"))]

NewTitle = Annotated[str, Field(min_length=1, description="Shown title.")]
NewDescription = Annotated[str | None, Field(description="HTML.")]
Featured = Annotated[bool | None, Field(description="Shown first.")]
ProgressPeriod = Annotated[Period | None, Field(description="Starts anew each.")]
Completions = Annotated[int | None, Field(ge=0, description="Per person and period.")]
NewStatus = Annotated[Literal["draft", "live", "scheduled"], Field(description="live publishes.")]
ChangedStatus = Annotated[Status | None, Field(description="live publishes, archived hides.")]
ChangedTitle = Annotated[str | None, Field(min_length=1, description="Shown title.")]


def brief(reader: str) -> AfterValidator:
    """Shortens what a list shows, naming the tool that returns all of it."""

    def shortened(text: str | None) -> str | None:
        return text if text is None or len(text) <= LONG else f"{text[:LONG]}... ({reader} returns all of it)"

    return AfterValidator(shortened)


def content(given: ToolInput, *without: str) -> dict[str, Any]:
    """The API's body for something with a title: the members that were set, title and description under `details`.

    Parameters:
        given: validated arguments.
        without: members that travel elsewhere (path, our own); language and request_key always do.
    """
    body = changes(given, "language", "request_key", *without)
    details = {name: body.pop(name) for name in ("title", "description") if name in body}
    return body | {"details": details} if details else body
