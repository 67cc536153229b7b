"""An action to be made: the common kinds in plain words, every other kind by its key and the API's attributes."""

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from tools.shared.changes import changes
from tools.shared.texts import NewTitle
from tools.spec import ToolInput

CHOICE = "question-multiple-choice"
OPEN = "question-open-ended"
LINK = "interaction-external-link"


class NewAction(ToolInput):
    """Something a participant does: its key decides which other members count."""

    key: Annotated[
        str,
        Field(
            pattern=r"^[a-z]+(-[a-z]+)+$",
            description=f"{CHOICE}, {OPEN}, {LINK}, or another kind with attributes.",
        ),
    ]
    title: Annotated[NewTitle, Field(description="Question or task.")]
    options: Annotated[
        list[str] | None, Field(min_length=2, validate_default=True, description="Answers of a multiple choice.")
    ] = None
    correct: Annotated[list[str] | None, Field(min_length=1, description="Right options, verbatim; absent: any.")] = (
        None
    )
    url: Annotated[str | None, Field(pattern=r"^https://\S+$", validate_default=True, description="Of the link.")] = (
        None
    )
    attributes: Annotated[dict[str, Any] | None, Field(description="As in get_action.")] = None

    @field_validator("options")
    @classmethod
    def _choices(cls, options: list[str] | None, info: ValidationInfo) -> list[str] | None:
        _only_for(CHOICE, options, info)
        if options is not None and len(set(options)) < len(options):
            raise ValueError("the same option stands twice")
        return options

    @field_validator("correct")
    @classmethod
    def _check_offered(cls, correct: list[str] | None, info: ValidationInfo) -> list[str] | None:
        options = info.data.get("options") or ()
        missing = [one for one in correct or () if one not in options]
        if missing:
            raise ValueError(f"{missing[0][:80]!r} is not one of options")
        return correct

    @field_validator("url")
    @classmethod
    def _target(cls, url: str | None, info: ValidationInfo) -> str | None:
        _only_for(LINK, url, info)
        return url

    @field_validator("attributes")
    @classmethod
    def _raw(cls, attributes: dict[str, Any] | None, info: ValidationInfo) -> dict[str, Any] | None:
        if attributes is not None and info.data.get("key") in (CHOICE, OPEN, LINK):
            raise ValueError("leave it out for this key; options, correct and url say all")
        return attributes

    def body(self, community_id: str, owner_type: str, owner_id: str) -> dict[str, Any]:
        """The API's ActionCreateInput for an action on a challenge or an achievement."""
        return {
            "communityId": community_id,
            "allocationId": owner_id,
            "allocatedTo": owner_type,
            "category": "nudj",
            "key": self.key,
            "details": {"title": self.title},
            "attributes": self._attributes(),
        } | ({"config": {"requiresCorrectAnswer": True}} if self.correct else {})

    def _attributes(self) -> dict[str, Any]:
        match self.key:
            case "question-multiple-choice":
                return {"key": self.key, "question": self.title} | self._answers()
            case "question-open-ended":
                return {"key": self.key, "question": self.title}
            case "interaction-external-link":
                return {"key": self.key, "url": self.url}
            case _:
                raw: dict[str, Any] = changes(self).get("attributes", {})
                return raw | {"key": self.key}

    def _answers(self) -> dict[str, Any]:
        ids = {label: f"option-{number}" for number, label in enumerate(self.options or (), 1)}
        right = [ids[label] for label in self.correct or ()]
        return {
            "options": [{"id": one, "label": label} for label, one in ids.items()],
            "minimumNumberOfAnswersRequired": 1,
            "maximumNumberOfAnswersAllowed": max(1, len(right)),
        } | ({"correctAnswers": right} if right else {})


def _only_for(key: str, value: object, info: ValidationInfo) -> None:
    given = info.data.get("key")
    if given == key and value is None:
        raise ValueError(f"{key} needs it")
    if given is not None and given != key and value is not None:
        raise ValueError(f"only {key} takes it")
