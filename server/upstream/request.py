"""One request to a tenant, ready to be sent as often as it may be."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from server.tenants.tenant import Tenant
from server.upstream.urls import build_url
from tools.spec import Operation


@dataclass(slots=True)
class TenantRequest:
    """What goes out: method and path by the operation, everything else as it is sent."""

    operation: Operation
    url: str
    headers: dict[str, str]
    body: bytes | None = None

    @classmethod
    def build(
        cls,
        tenant: Tenant,
        operation: Operation,
        headers: Mapping[str, str],
        ids: Mapping[str, str],
        query: Mapping[str, str | int | bool | None],
    ) -> Self:
        """A request without a body; every id stays one segment of the path."""
        return cls(operation, build_url(tenant, operation, ids, query), dict(headers))

    def carry(self, body: Any, language: str | None) -> None:
        """Add what is said in it, and the language it is said or answered in."""
        if language is not None:
            self.headers["x-language"] = language
        if body is not None:
            self.headers["content-type"] = "application/json"
            self.body = json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
