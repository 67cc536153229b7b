"""The Admin API over HTTP: host, token, organisation, permission, request, in that order; then the work."""

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.sandbox import faults
from server.sandbox.document import Described, Document
from server.sandbox.endpoints import ENDPOINTS
from server.sandbox.entities import ORGANISATION
from server.sandbox.faults import Fault
from server.sandbox.operation_call import Endpoint, OperationCall
from server.sandbox.roles import SandboxCaller, read_caller
from server.sandbox.store import EntityStore
from server.sandbox.tokens import Tokens

_BODY_CAP = 1_000_000


class Api:
    """Every operation of the document as a route.

    Parameters:
        exchange: gives the Bearer of a request that carries a session cookie instead of a token; None without one.
        port: the one in every Host, 1-65535.
    """

    def __init__(
        self,
        store: EntityStore,
        tokens: Tokens,
        document: Document,
        exchange: Callable[[Request], str | None],
        *,
        port: int,
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._document = document
        self._exchange = exchange
        self._suffix = ".localhost" + ("" if port == 80 else f":{port}")

    def routes(self) -> list[Route]:
        """Fixed paths before those with a placeholder, so that `/actions/reorder` is not taken for an id."""
        ordered = sorted(self._document.operations, key=lambda operation: operation.path.count("{"))
        return [Route("/api/v2/admin/openapi.json", self._describe), *map(self._route, ordered)]

    def organisation(self, request: Request) -> str:
        """Id of the organisation behind the Host.

        Raises:
            Fault: 404.
        """
        return self._behind(request)[0]

    def subdomain(self, request: Request) -> str:
        """The organisation's word in the Host.

        Raises:
            Fault: 404.
        """
        return self._behind(request)[1]

    def authenticate(self, request: Request, organisation: str) -> SandboxCaller:
        """Who calls, by either header.

        Raises:
            Fault: 401; 403 when the token is another organisation's.
        """
        headers = request.headers
        values = [*headers.getlist("authorization"), *headers.getlist("x-api-token")]
        tokens = {_bare(value) for value in values} or {self._exchange(request) or ""}
        if len(tokens) != 1:
            raise Fault(401, "You must be logged in: send one token.")
        claims = self._tokens.verify(tokens.pop())
        if claims["organisationId"] != organisation:
            raise Fault(403, "The token belongs to another organisation.")
        if request.method != "GET" and "nudj:write" not in str(claims.get("scope", "nudj:write")).split():
            raise Fault(403, "The token may only read.")
        roles = claims.get("roles")
        return read_caller(claims["sub"], claims["jti"], organisation, roles if isinstance(roles, list) else [])

    def _behind(self, request: Request) -> tuple[str, str]:
        slug = request.headers.get("host", "").lower().removesuffix(self._suffix)
        row = self._store.sql.execute("SELECT id FROM organisation WHERE slug = ?", (slug,)).fetchone()
        if row is None or request.headers["host"].lower() != slug + self._suffix:
            raise Fault(404, "There is no organisation at this host.")
        return row["id"], slug

    async def _describe(self, _request: Request) -> Response:
        return Response(self._document.text, media_type="application/json")

    def _route(self, operation: Described) -> Route:
        async def serve(request: Request) -> Response:
            try:
                answer = await self._answer(operation, ENDPOINTS[operation.id], request)
            except Fault as fault:
                return refuse(fault.status, fault.message, operation.id)
            return _json(200, answer)

        return Route(operation.path, serve, methods=[operation.method], name=operation.id)

    async def _answer(self, operation: Described, endpoint: Endpoint, request: Request) -> Any:
        organisation = self.organisation(request)
        asking = self.authenticate(request, organisation)
        scope = asking.scope(endpoint.permission)
        language = request.headers.get("x-language")
        ids = {name: str(value) for name, value in request.path_params.items()}
        query = self._document.parameters(operation, ids, request.query_params.multi_items(), language)
        body = await _read_body(request) if operation.takes else None
        self._document.body(operation, body)
        call = OperationCall(
            store=self._store,
            tokens=self._tokens,
            document=self._document,
            caller=asking,
            organisation=organisation,
            scope=scope,
            ids=ids,
            query=query,
            body=body,
            language=self._other_language(organisation, language),
        )
        if operation.method == "GET":
            return endpoint.handler(call)
        with self._store.transaction():
            return endpoint.handler(call)

    def _other_language(self, organisation: str, language: str | None) -> str | None:
        """The language asked for, unless it is the organisation's own and so is kept in the entity itself."""
        own = self._store.find(organisation, ORGANISATION.kind, organisation) if language else None
        return None if own is None or language is None or language.lower() == own["language"] else language.lower()


def refuse(status: int, message: str, path: str) -> Response:
    """The documented error answer."""
    return _json(status, faults.build_body(status, message, path))


def _json(status: int, value: Any) -> Response:
    return JSONResponse(value, status, headers={"cache-control": "no-store"})


def _bare(value: str) -> str:
    scheme, _, rest = value.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else value.strip()


async def _read_body(request: Request) -> Any:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Fault(415, "body: Must be sent as application/json")
    text = b""
    async for chunk in request.stream():
        text += chunk
        if len(text) > _BODY_CAP:
            raise Fault(413, f"body: Must not be longer than {_BODY_CAP} bytes")
    try:
        return json.loads(text, parse_constant=_not_json)
    except (ValueError, RecursionError):
        raise Fault(400, "body: Invalid JSON") from None


def _not_json(word: str) -> Any:
    raise ValueError(word)
