"""`fields`: the caller names the members of an answer worth its tokens, and gets only those."""

from typing import Annotated, ClassVar, TypeVar

from pydantic import Field, field_validator

from tools.refusals import Code, ToolError
from tools.refusals import Field as Wrong
from tools.shared.paging import Page
from tools.spec import ToolInput, ToolOutput

AnswerT = TypeVar("AnswerT", bound=ToolOutput)


class Selecting(ToolInput):
    """Base of what reading tools take; `selects` is the answer whose members may be named (`id` always stays).

    Raises:
        ToolError: arguments_invalid, naming the legal members; a ValueError's text would be too short for them.
    """

    selects: ClassVar[type[ToolOutput]]

    fields: Annotated[list[str] | None, Field(description="Only these.")] = None

    @field_validator("fields")
    @classmethod
    def _check_known(cls, fields: list[str] | None) -> list[str] | None:
        legal = cls.selects.model_fields
        wrong = tuple(
            Wrong(f"/fields/{index}", "no such field in the answer", legal=", ".join(legal))
            for index, name in enumerate(fields or ())
            if name not in legal
        )
        if wrong:
            raise ToolError(Code.ARGUMENTS_INVALID, "fields names what the answer does not have.", fields=wrong[:5])
        return fields

    def select(self, answer: AnswerT) -> AnswerT:
        """The answer with every member that was not asked for emptied; the wire drops empty members."""
        if self.fields is None:
            return answer
        dropped = type(answer).model_fields.keys() - {"id", *self.fields}
        return answer.model_copy(update=dict.fromkeys(dropped))

    def select_page(self, page: Page[AnswerT]) -> Page[AnswerT]:
        """The same for every item of a page."""
        return page.model_copy(update={"items": tuple(self.select(item) for item in page.items)})
