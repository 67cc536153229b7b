"""A person's word before something is destroyed: a single-use value for one caller, one tool, one set of arguments.

It guards against slips, not against injection: whoever can make the call can also repeat it with the value.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable

from server.identity.principal import Principal
from server.pipeline.validation import canonicalise
from server.state.store import Store
from tools.refusals import Code, ToolError
from tools.spec import ConfirmedInput, Tool

LIFETIME_S = 300


class Confirmation:
    """Issues and redeems confirm values.

    Parameters:
        key: >= 32 bytes, shared by all replicas; a value issued under another key does not fit.
        store: where redeemed values are remembered until they expire.
        clock: seconds since the epoch.
    """

    def __init__(self, key: bytes, store: Store, clock: Callable[[], float]) -> None:
        self._key = key
        self._store = store
        self._clock = clock

    async def require(self, principal: Principal, tool: Tool, given: ConfirmedInput) -> None:
        """Let the call through if it carries a value that fits.

        Raises:
            ToolError: confirmation_required, with a fresh value to hand back once a person agreed.
        """
        if given.confirm is None:
            raise self._ask(principal, tool, given, "Nothing was changed.", None)
        reason = self._fault(principal, tool, given, given.confirm)
        if reason is None and not await self._store.claim(
            f"{principal.organisation}:confirm:{given.confirm}", LIFETIME_S
        ):
            reason = "used"
        if reason is not None:
            raise self._ask(principal, tool, given, "The confirm value does not fit; nothing was changed.", reason)

    def _ask(self, principal: Principal, tool: Tool, given: ConfirmedInput, what: str, reason: str | None) -> ToolError:
        return ToolError(
            Code.CONFIRMATION_REQUIRED,
            f"{tool.name} cannot be undone. {what}",
            f"Ask the person in charge. If they agree, call {tool.name} again with the same arguments and this confirm "
            "value within 5 minutes. Where the entity has a status, archiving it instead can be undone.",
            reason=reason,
            confirm=self._issue(principal, tool, given),
        )

    def _issue(self, principal: Principal, tool: Tool, given: ConfirmedInput) -> str:
        head = f"{int(self._clock()) + LIFETIME_S}.{secrets.token_urlsafe(12)}"
        return f"{head}.{self._seal(head, principal, tool, given)}"

    def _fault(self, principal: Principal, tool: Tool, given: ConfirmedInput, value: str) -> str | None:
        head, _, seal = value.rpartition(".")
        fits = hmac.compare_digest(seal.encode(), self._seal(head, principal, tool, given).encode())
        if not fits:
            return "other_call"
        return None if int(head.partition(".")[0]) > self._clock() else "expired"

    def _seal(self, head: str, principal: Principal, tool: Tool, given: ConfirmedInput) -> str:
        said = hashlib.sha256(canonicalise(given, "confirm")).hexdigest()
        bound = "\n".join((head, principal.organisation, principal.subject, principal.digest, tool.name, said))
        mac = hmac.new(self._key, bound.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")
