"""A create that is asked for twice happens once: the same request_key gives the first answer again, or what exists.

Under a key stand two values of the shared state, each with the version of its form. `<key>:begun` is the claim of the
call that runs: its own mark, then what it would leave behind if it ended now. `<key>` is the answer of the call that
succeeded. Replicas of version 1 wrote an empty claim and read only whether there is one, so that both may run at once.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from server.identity.principal import Principal
from server.pipeline.envelope import Envelope
from server.pipeline.validation import canonicalise
from server.state.store import Store, StoreDown
from server.upstream.settling import settle
from server.upstream.write_log import WriteLog
from tools.outcomes import Partial, describe_partial, read_partial
from tools.refusals import Code, ToolError
from tools.spec import IdempotentInput, Tool

LIFETIME_S = 24 * 3600
VERSION = 2
_SKEW_S = 5.0
"""Seconds that the clocks of replicas may differ."""

UNREMEMBERED = "It was done, but it could not be written down under the request_key: calling again would do it twice."


class Idempotency:
    """Remembers the answers of creates per (organisation, subject, tool, request_key) for 24 hours.

    Parameters:
        longest_s: seconds after which a call that was begun has ended for certain, > 0.
        clock: seconds since the epoch, much the same on all replicas.
    """

    def __init__(self, store: Store, *, longest_s: float = 70.0, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._longest_s = longest_s
        self._clock = clock

    async def once(
        self,
        principal: Principal,
        tool: Tool,
        given: IdempotentInput,
        writes: WriteLog,
        run: Callable[[], Awaitable[Envelope]],
    ) -> Envelope:
        """Run, or give the answer that an earlier run with the same key and arguments gave.

        Raises:
            ToolError: conflict, when the key was used with other arguments or its first call has no known end yet;
                partially_completed, when the first call ended in the middle; otherwise whatever `run` raises.
        """
        if given.request_key is None:
            return await run()
        said = hashlib.sha256(canonicalise(given, "request_key")).hexdigest()
        name = hashlib.sha256("\n".join((principal.subject, tool.name, given.request_key)).encode()).hexdigest()
        key = f"{principal.organisation}:replay:{name}"
        claim = _Claim(self._store, f"{key}:begun", said, self._clock() + self._longest_s + _SKEW_S)
        first = await self._store.get(key)
        if first is None and await claim.take():
            writes.keep = claim.keep
            return await self._first(key, claim, writes, run)
        first = first or await self._store.get(key)
        if first is None:
            raise self._explain(await self._store.get(f"{key}:begun"), said)
        return _replay(first, said)

    async def _first(
        self, key: str, claim: "_Claim", writes: WriteLog, run: Callable[[], Awaitable[Envelope]]
    ) -> Envelope:
        try:
            answer = await run()
        except BaseException as fault:
            await settle(claim.end(writes, fault if isinstance(fault, ToolError) else None))
            raise
        kept = json.dumps({"v": VERSION, "said": claim.said, "answer": answer.text}).encode()
        try:
            await settle(self._store.put(key, kept, LIFETIME_S))
        except StoreDown:
            return answer.warn(UNREMEMBERED)
        return answer

    def _explain(self, begun: bytes | None, said: str) -> ToolError:
        """What is told of a call with this key that gave no answer."""
        known = _read(begun)
        if known is not None and known["said"] != said:
            return _build_reused()
        if known is not None and known["error"] is not None:
            return ToolError(
                Code(known["error"]["code"]),
                known["error"]["message"],
                known["error"]["hint"],
                retryable=False,
                partial=read_partial(known["partial"]),
            )
        left = 0.0 if known is None else known["ends"] - self._clock()
        if left > 0:
            return ToolError(
                Code.CONFLICT,
                "An earlier call with this request_key has not ended.",
                "Call again with the same request_key and arguments: once it has ended, its answer is given.",
                reason="in_flight",
                retry_after_s=min(5.0, round(left, 1)),
                retryable=True,
            )
        return _build_lost(None if known is None else read_partial(known["partial"]))


@dataclass(slots=True)
class _Claim:
    """The right to run a call under a key, recognisable as its own, with what that call left behind so far.

    Parameters:
        said: digest of the arguments.
        ends: seconds since the epoch by which the call has ended, whatever became of it.
    """

    store: Store
    key: str
    said: str
    ends: float
    mark: bytes = b""

    async def take(self) -> bool:
        self.mark = secrets.token_hex(16).encode()
        return await self.store.claim(self.key, LIFETIME_S, self._value(None, None))

    async def keep(self, partial: Partial) -> None:
        """Write down what exists; without a store the call goes on, and whoever asks next is told less.

        Raises:
            ToolError: conflict, when the store forgot this claim and another call has taken it since.
        """
        try:
            ours = await self.store.replace(self.key, self.mark, self._value(partial, None), LIFETIME_S)
        except StoreDown:
            return
        if not ours:
            raise ToolError(
                Code.CONFLICT,
                "Another call with this request_key runs, since the shared state was lost meanwhile.",
                "Call again with the same request_key to hear what came of the other one.",
                reason="in_flight",
            )

    async def end(self, writes: WriteLog, refusal: ToolError | None) -> None:
        """The call is over without an answer: free the key if nothing was made, else say what was."""
        try:
            if writes.is_clean and (refusal is None or refusal.partial is None):
                await self.store.release(self.key, self.mark)
                return
            partial = writes.summarise() if refusal is None else refusal.partial
            told = refusal or _build_lost(partial, writes.advice)
            error = {"code": told.code.value, "message": told.message, "hint": told.hint}
            await self.store.replace(self.key, self.mark, self._value(partial, error), LIFETIME_S)
        except StoreDown:
            return  # the claim stays, and what it last said

    def _value(self, partial: Partial | None, error: dict[str, str] | None) -> bytes:
        left = None if partial is None else describe_partial(partial)
        said = {"v": VERSION, "said": self.said, "ends": self.ends, "partial": left, "error": error}
        return self.mark + json.dumps(said).encode()


def _read(begun: bytes | None) -> dict[str, Any] | None:
    """What a claim says; None for one of version 1, and of versions to come."""
    if begun is None or b"{" not in begun:
        return None
    known: dict[str, Any] = json.loads(begun[begun.index(b"{") :])
    return known if known.get("v") == VERSION else None


def _replay(first: bytes, said: str) -> Envelope:
    kept = json.loads(first)
    if kept["said"] != said:
        raise _build_reused()
    return Envelope(kept["answer"])


def _build_reused() -> ToolError:
    return ToolError(
        Code.CONFLICT,
        "This request_key was used before with other arguments.",
        "Use a new request_key for a new thing, or the first arguments to get the first answer again.",
        reason="request_key_reused",
    )


def _build_lost(partial: Partial | None, advice: str | None = None) -> ToolError:
    """What is told of a call that ended without anybody hearing how."""
    if partial is not None:
        return ToolError(
            Code.PARTIALLY_COMPLETED,
            "An earlier call with this request_key ended in the middle.",
            "Finish or undo with the calls in partial; another request_key would create everything twice.",
            partial=partial,
        )
    return ToolError(
        Code.CONFLICT,
        "An earlier call with this request_key has not ended, or its end is unknown.",
        advice or "Look with the matching list tool whether it exists before trying another request_key.",
        reason="in_flight",
    )
