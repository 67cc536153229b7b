"""What all reports share: how they are bounded, and how they say what they rest on."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from tools.shared.concurrency import Gathered
from tools.shared.texts import Title
from tools.spec import Id, ToolOutput

Top = Annotated[int, Field(ge=1, le=50, description="How many to show.")]
InCommunity = Annotated[Id | None, Field(description="Only of this one, from list_communities.")]


class Report(ToolOutput):
    """What every report says of itself: what its numbers rest on, and `capped` when there was more than it read."""

    basis: str
    read: int
    total: int
    capped: bool


class Content(ToolOutput):
    """What all content has, as far as reports look at it."""

    id: str
    community_id: str | None = None
    additional_community_ids: tuple[str, ...] | None = None
    title: Title = None
    status: str | None = None
    created_at: str | None = None
    expires_at: str | None = None

    def within(self, community: str | None) -> bool:
        """Whether it belongs to the community, or no community was asked for."""
        return community is None or community.lower() in (self.community_id, *(self.additional_community_ids or ()))


def bounds(found: Gathered[Any]) -> dict[str, Any]:
    """How much of a list a report read, for Report's members."""
    return {"read": len(found.items), "total": found.total, "capped": found.capped}


def moment(text: str | None) -> datetime | None:
    """A moment of the API; None when it says nothing that can be compared."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def share(part: float, whole: float) -> float:
    """A share between 0 and 1, to three places."""
    return round(min(1.0, part / whole), 3) if whole else 0.0
