"""How the authorization server refuses: one exception, answered as JSON or carried back in a redirect."""

from starlette.responses import JSONResponse, Response


class OAuthError(Exception):
    """A refusal as RFC 6749 section 5.2 words it.

    Parameters:
        error: a registered error code.
        description: what is wrong, in plain ASCII of ours; never a value that was sent.
        status: HTTP status when it is answered directly.
    """

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status

    def answer(self) -> Response:
        """The JSON answer of the token endpoint and its siblings."""
        headers = {"cache-control": "no-store"}
        if self.status == 401:
            headers["www-authenticate"] = 'Basic realm="oauth"'
        return JSONResponse({"error": self.error, "error_description": self.description}, self.status, headers)
