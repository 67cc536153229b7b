"""What one call wrote at its tenant, as far as it is known: for whoever is told of the call, and for the audit."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tools.api.recognition import advise
from tools.outcomes import Outcome, Partial
from tools.spec import Account, Operation


@dataclass(slots=True)
class Write:
    """One request that changes something; `made` is the id of what it made, where the answer said one."""

    operation: Operation
    outcome: Outcome = Outcome.UNKNOWN
    made: str | None = None


@dataclass(slots=True)
class WriteLog:
    """The writes of one call, in order.

    Parameters:
        keep: given what a chain would leave behind, before each of its writes; None where nobody asks for it later.

    `left` says that the call was given up while a write was under way, so that no other may follow.
    """

    keep: Callable[[Partial], Awaitable[None]] | None = None
    left: bool = False
    writes: list[Write] = field(default_factory=list)
    _account: Account | None = None
    _accounted: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether this call certainly changed nothing."""
        return all(write.outcome is Outcome.NOT_MADE for write in self.writes)

    @property
    def advice(self) -> str | None:
        """What to do about the last write that was made or may have been; None when there is none."""
        for write in reversed(self.writes):
            if write.outcome is not Outcome.NOT_MADE:
                return advise(write.operation, made=write.outcome is Outcome.MADE)
        return None

    def open(self, operation: Operation) -> Write:
        """A write begins; until something is known of it, nothing is.

        Raises:
            asyncio.CancelledError: the call was given up while an earlier one was under way: it ends here, between two.
        """
        if self.left:
            raise asyncio.CancelledError
        write = Write(operation)
        self.writes.append(write)
        return write

    async def note(self, account: Account) -> None:
        """See `TenantApi.note`."""
        self._account, self._accounted = account, len(self.writes)
        if self.keep is not None:
            await self.keep(account(Outcome.UNKNOWN, None))

    def summarise(self) -> Partial | None:
        """What a chain leaves behind if it ends now; None when it left nothing, or the call is no chain."""
        if self._account is None or self.is_clean:
            return None
        if len(self.writes) == self._accounted:
            return self._account(Outcome.NOT_MADE, None)
        return self._account(self.writes[-1].outcome, self.writes[-1].made)

    def describe(self) -> dict[str, Any] | None:
        """For the audit line: what was made, with ids, and what may have been; None when nothing was."""
        if self.is_clean:
            return None
        made = [f"{write.operation.id}:{write.made or '?'}" for write in self.writes if write.outcome is Outcome.MADE]
        unknown = [write.operation.id for write in self.writes if write.outcome is Outcome.UNKNOWN]
        return {"made": made} | ({"unknown": unknown} if unknown else {})
