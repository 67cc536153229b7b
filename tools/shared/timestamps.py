"""Moments as the API writes them: ISO 8601 with a zone, checked but never re-written."""

from datetime import datetime


def instant(text: str) -> str:
    """Return the text unchanged if it is a moment with a zone.

    Raises:
        ValueError: it is not; the message shows a legal value.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("not a moment; write it like 2026-12-24T18:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("the zone is missing; write it like 2026-12-24T18:00:00Z")
    return text
