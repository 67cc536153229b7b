"""What the tenant says when it refuses: one exception, one documented body."""

from typing import Any

_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_SUPPORTED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_SERVER_ERROR",
}


class Fault(Exception):
    """A refusal.

    Parameters:
        status: HTTP status, one of those the API document lists.
        message: for developers, in English.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def build_body(status: int, message: str, path: str) -> dict[str, Any]:
    """The documented error body; `path` is the operation's id, or the path when there is no such operation."""
    code = _CODES.get(status, "BAD_REQUEST" if status < 500 else "INTERNAL_SERVER_ERROR")
    return {"message": message, "code": code, "data": {"httpStatus": status, "path": path}}
