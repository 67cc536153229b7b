"""Whether an answer is the API's own, or that of something on the way to it: firewall, ingress, login page, proxy."""

import json
import re
from typing import Any

from server.http.port import HttpResponse

_ERROR_CAP = 64_000
_JSON = re.compile(r"\s*application/(?:[\w.+-]+\+)?json\s*(?:;|$)", re.IGNORECASE)
"""RFC 9110 section 8.3.1 and RFC 6839: any case, blanks and parameters."""


def is_of_api(answered: HttpResponse) -> bool:
    """Whether the answer has the form of the API's contract: JSON, and with an error status its error object.

    429 passes in any form: it says the same whoever says it.
    """
    if answered.status == 429 or (200 <= answered.status < 300 and not answered.body):
        return True
    if 200 <= answered.status < 300:
        return _JSON.match(answered.headers.get("content-type", "")) is not None
    return read_error(answered) is not None


def read_error(answered: HttpResponse) -> dict[str, Any] | None:
    """The API's error object; None when the answer has none."""
    if _JSON.match(answered.headers.get("content-type", "")) is None or len(answered.body) > _ERROR_CAP:
        return None
    try:
        said = json.loads(answered.body)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(said, dict) and isinstance(said.get("message"), str) and isinstance(said.get("code"), str)
    return said if whole else None
