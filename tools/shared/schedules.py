"""From when until when something is on: two moments in the right order."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from tools.spec import Instant, ToolInput


class Window(ToolInput):
    """Base of what tools take that schedule something."""

    starts_at: Annotated[Instant | None, Field(description="Start.")] = None
    expires_at: Annotated[Instant | None, Field(description="End.")] = None

    @field_validator("expires_at")
    @classmethod
    def _later(cls, expires_at: str | None, info: ValidationInfo) -> str | None:
        starts_at = info.data.get("starts_at")
        if expires_at and starts_at and datetime.fromisoformat(expires_at) <= datetime.fromisoformat(starts_at):
            raise ValueError(f"must be later than starts_at ({starts_at})")
        return expires_at
