"""A person's word before something is destroyed: a single-use value for one caller, one tool, one set of arguments.

It guards against slips, not against injection: whoever can make the call can also repeat it with the value.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from enum import StrEnum

from server.identity.principal import Principal
from server.pipeline.validation import canonicalise
from server.state.store import Store
from tools.plain_text import clean_text
from tools.previews import Preview
from tools.refusals import Code, ToolError
from tools.spec import ConfirmedInput, Tool

LIFETIME_S = 300


class Outcome(StrEnum):
    """What became of a question put to a person through the client."""

    AGREED = "agreed"
    DECLINED = "declined"
    DISMISSED = "dismissed"
    UNANSWERED = "unanswered"


Ask = Callable[[], Awaitable[str]]

_TITLE = 120
_DETAIL = 160
_DETAILS = 24


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

    async def require(self, principal: Principal, tool: Tool, given: ConfirmedInput, ask: Ask) -> None:
        """Let the call through if it carries a value that fits.

        Parameters:
            ask: makes the question for the person; it is called only when there is something to ask.

        Raises:
            ToolError: confirmation_required, with the question and a fresh value to hand back once a person agreed;
                whatever `ask` raises, such as not_found.
        """
        if given.confirm is None:
            raise self._ask(principal, tool, given, "Nothing was changed.", None, await ask())
        reason = self._fault(principal, tool, given, given.confirm)
        if reason is None and not await self._store.claim(
            f"{principal.organisation}:confirm:{given.confirm}", LIFETIME_S
        ):
            reason = "used"
        if reason is not None:
            what = "The confirm value does not fit; nothing was changed."
            raise self._ask(principal, tool, given, what, reason, await ask())

    def _ask(
        self, principal: Principal, tool: Tool, given: ConfirmedInput, what: str, reason: str | None, question: str
    ) -> ToolError:
        return ToolError(
            Code.CONFIRMATION_REQUIRED,
            f"{tool.name} cannot be undone. {what}",
            f"Show the person in charge the question as it stands. If they agree, call {tool.name} again with the same "
            "arguments and this confirm value within 5 minutes. Archiving, where there is a status, can be undone.",
            reason=reason,
            confirm=self._issue(principal, tool, given),
            question=question,
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


def write_question(preview: Preview, organisation: str | None, host: str) -> str:
    """What a person is asked: the act, the thing by title and id, where, and what goes with it; one line each.

    Parameters:
        organisation: what people call it, where that is known.
        host: where its API is.
    """
    where = (
        f"the organisation at {host}"
        if organisation is None
        else f'the organisation "{_quote(organisation, 64)}" ({host})'
    )
    title = "" if preview.title is None else f' "{_quote(preview.title, _TITLE)}"'
    id_ = "" if preview.id is None else f" ({preview.id})" if title else f" {preview.id}"
    details = [f"- {_quote(detail, _DETAIL)}" for detail in preview.details[:_DETAILS]]
    if len(preview.details) > _DETAILS:
        details.append(f"- and {len(preview.details) - _DETAILS} more")
    return "\n".join((f"{preview.act}{title}{id_} of {where}?", *details, "This cannot be undone."))


def _quote(text: str, most: int) -> str:
    """Cleaned, and without the marks that end a quotation."""
    return clean_text(text, most).replace('"', "'")


_UNAGREED = {
    Outcome.DECLINED: ("The person asked said no to {tool}", "Do not call it again unless they ask for it."),
    Outcome.DISMISSED: (
        "The question about {tool} was closed without an answer; some clients close it without showing it",
        "Tell the person in your own words what would be destroyed. Only if they agree, call {tool} again with the "
        "same arguments and this confirm value.",
    ),
    Outcome.UNANSWERED: (
        "Nobody answered the question about {tool} in time",
        "Find out whether somebody is there before calling it again.",
    ),
}


def build_unagreed(outcome: Outcome, tool: str, confirm: str) -> ToolError:
    """The refusal of a call that a person did not agree to; nothing was changed.

    Parameters:
        outcome: any but AGREED.
        confirm: handed back where nobody is known to have seen the question.
    """
    what, hint = _UNAGREED[outcome]
    return ToolError(
        Code.CONFIRMATION_REQUIRED,
        f"{what.format(tool=tool)}; nothing was changed.",
        hint.format(tool=tool),
        reason=outcome.value,
        confirm=confirm if outcome is Outcome.DISMISSED else None,
    )
