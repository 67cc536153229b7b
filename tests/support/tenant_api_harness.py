"""A tool call bound to one tenant that answers as told: the stage of the tests of the way out."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from server.credentials.parsing import Credentials
from server.credentials.secret import Secret
from server.http.client import OutboundClient
from server.identity.principal import Grant, Principal, Role
from server.tenants.tenant import Tenant
from server.upstream.circuit_breaker import CircuitBreaker
from server.upstream.credentials import Passthrough, ServiceCredential
from server.upstream.tenant_api import Upstream
from tests.support.scripted_servers import Peer, Site, reply, site
from tools.api import operations as op
from tools.people import communities
from tools.refusals import ToolError
from tools.spec import Caller, Effect, Nothing, Operation, TenantApi, Tool

ACME, GLOBEX = "a" * 24, "b" * 24
THING = "c" * 24
TOKEN = Secret("eyJhbGciOiJ.eyJzdWIiOiJ.c2lnbmF0dXJl")
PRINCIPAL = Principal("ann@acme", ACME, (Grant(Role.ADMIN),), 2**31, "id", "bearer", TOKEN.digest)
CALLER = Caller("ann@acme", ACME, "", ("admin",), "bearer", "builder", 2**31, ())
ANY = Tool("any", "", Effect.READ, (), Nothing, Nothing, communities.list_communities, "any", op.OPERATIONS)
JSON = "content-type: application/json"


@dataclass
class World:
    here: Site
    tenant: Tenant
    upstream: Upstream
    forgotten: list[str] = field(default_factory=list)

    def api(
        self,
        principal: Principal = PRINCIPAL,
        tool: Tool = ANY,
        token: Secret = TOKEN,
        seconds: float = 5,
        tenant: Tenant | None = None,
    ) -> TenantApi:
        return self.upstream.bind(
            principal,
            tenant or self.tenant,
            tool,
            credentials=Credentials(principal.kind, token),
            request_id="req-1",
            deadline=anyio.current_time() + seconds,
            caller=lambda: CALLER,
        )

    async def refusal(self, operation: Operation, **more: Any) -> ToolError:
        if "{id}" in operation.path:
            more.setdefault("ids", {"id": THING})
        with pytest.raises(ToolError) as caught:
            await self.api().call(operation, **more)
        return caught.value


@asynccontextmanager
async def world(
    *replies: bytes, then: Peer | None = None, stop_after: int = 10**9, mode: str = "passthrough", failures: int = 5
) -> AsyncIterator[World]:
    async with site(*replies, then=then, stop_after=stop_after) as here, OutboundClient() as net:
        tenant = Tenant(ACME, f"{here.url(path='')}/api/v2/admin", "acme")
        forgotten: list[str] = []
        upstream = Upstream(
            net.send,
            breaker=CircuitBreaker(failures=failures),
            credential=ServiceCredential("x-nudj-subject") if mode == "service" else Passthrough(forgotten.append),
            timeout_s=1,
            cap=1_000_000,
        )
        yield World(here, tenant, upstream, forgotten)


def said(value: Any, status: str = "200 OK", *headers: str) -> bytes:
    return reply(json.dumps(value).encode(), JSON, *headers, status=status)


def sent(here: Site, name: str) -> str | None:
    lines = dict(line.split(": ", 1) for line in here.heads[-1].split("\r\n")[1:] if line)
    return {key.lower(): value for key, value in lines.items()}.get(name)
