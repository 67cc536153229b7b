"""A create that is asked for twice happens once: the same request_key gives the first answer again."""

import hashlib
import json
from collections.abc import Awaitable, Callable

from server.identity.principal import Principal
from server.pipeline.envelope import Envelope
from server.pipeline.validation import canonicalise
from server.state.store import Store
from tools.refusals import Code, ToolError
from tools.spec import IdempotentInput, Tool

LIFETIME_S = 24 * 3600


class Idempotency:
    """Remembers the answers of creates per (organisation, subject, tool, request_key) for 24 hours."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def once(
        self, principal: Principal, tool: Tool, given: IdempotentInput, run: Callable[[], Awaitable[Envelope]]
    ) -> Envelope:
        """Run, or give the answer that an earlier run with the same key and arguments gave.

        Raises:
            ToolError: conflict, when the key was used with other arguments or its first call has no known end yet;
                otherwise whatever `run` raises.
        """
        if given.request_key is None:
            return await run()
        said = hashlib.sha256(canonicalise(given, "request_key")).hexdigest()
        name = hashlib.sha256("\n".join((principal.subject, tool.name, given.request_key)).encode()).hexdigest()
        key = f"{principal.organisation}:replay:{name}"
        first = await self._store.get(key)
        if first is None and await self._store.claim(f"{key}:begun", LIFETIME_S):
            return await self._first(key, said, run)
        first = first or await self._store.get(key)
        if first is None:
            raise ToolError(
                Code.CONFLICT,
                "An earlier call with this request_key has not ended, or its end is unknown.",
                "Look with the matching list tool whether it exists before trying another request_key.",
                reason="in_flight",
            )
        return _replay(first, said)

    async def _first(self, key: str, said: str, run: Callable[[], Awaitable[Envelope]]) -> Envelope:
        try:
            answer = await run()
        except ToolError as refusal:
            if _is_without_trace(refusal):
                await self._store.drop(f"{key}:begun")
            raise
        await self._store.put(key, json.dumps({"said": said, "answer": answer.text}).encode(), LIFETIME_S)
        return answer


def _replay(first: bytes, said: str) -> Envelope:
    kept = json.loads(first)
    if kept["said"] != said:
        raise ToolError(
            Code.CONFLICT,
            "This request_key was used before with other arguments.",
            "Use a new request_key for a new thing, or the first arguments to get the first answer again.",
            reason="request_key_reused",
        )
    return Envelope(kept["answer"])


def _is_without_trace(refusal: ToolError) -> bool:
    """Whether a refused create certainly left nothing behind, so that its key may be tried again."""
    return refusal.code in {
        Code.ARGUMENTS_INVALID,
        Code.NOT_FOUND,
        Code.CONFLICT,
        Code.COMMUNITY_DENIED,
        Code.UPSTREAM_UNAUTHORIZED,
        Code.UPSTREAM_FORBIDDEN,
        Code.RATE_LIMITED,
    }
