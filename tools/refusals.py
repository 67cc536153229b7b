"""What a call may answer when it cannot do what was asked: one exception, and a closed list of codes.

    ToolError
    |- who asks        credentials_missing  credentials_malformed  credentials_conflict
    |                  token_invalid  token_expired  token_revoked  verification_unavailable
    |- which tenant    domain_missing  domain_malformed  domain_conflict  tenant_unknown
    |                  organisation_mismatch
    |- may they        role_denied  community_denied  mode_denied  mode_invalid
    |- what they said  arguments_invalid  confirmation_required  conflict  not_found
    |- the tenant      upstream_unauthorized  upstream_forbidden  upstream_invalid
    |                  upstream_unavailable  upstream_timeout  partially_completed
    `- this server     rate_limited  result_too_large  cancelled  internal

Every text here is ours. What a tenant's API said travels only in `upstream`, bounded and labelled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tools.outcomes import Outcome, Partial, describe_partial
from tools.plain_text import clean_text


class Code(StrEnum):
    """The closed list; docs/errors.md is generated from it and from `RULES`."""

    CREDENTIALS_MISSING = "credentials_missing"
    CREDENTIALS_MALFORMED = "credentials_malformed"
    CREDENTIALS_CONFLICT = "credentials_conflict"
    TOKEN_INVALID = "token_invalid"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_REVOKED = "token_revoked"
    VERIFICATION_UNAVAILABLE = "verification_unavailable"
    DOMAIN_MISSING = "domain_missing"
    DOMAIN_MALFORMED = "domain_malformed"
    DOMAIN_CONFLICT = "domain_conflict"
    TENANT_UNKNOWN = "tenant_unknown"
    ORGANISATION_MISMATCH = "organisation_mismatch"
    ROLE_DENIED = "role_denied"
    COMMUNITY_DENIED = "community_denied"
    MODE_DENIED = "mode_denied"
    MODE_INVALID = "mode_invalid"
    ARGUMENTS_INVALID = "arguments_invalid"
    CONFIRMATION_REQUIRED = "confirmation_required"
    CONFLICT = "conflict"
    NOT_FOUND = "not_found"
    UPSTREAM_UNAUTHORIZED = "upstream_unauthorized"
    UPSTREAM_FORBIDDEN = "upstream_forbidden"
    UPSTREAM_INVALID = "upstream_invalid"
    UPSTREAM_UNAVAILABLE = "upstream_unavailable"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    PARTIALLY_COMPLETED = "partially_completed"
    RATE_LIMITED = "rate_limited"
    RESULT_TOO_LARGE = "result_too_large"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one code travels: its HTTP-like status, whether the same call may work later, and what it means."""

    status: int
    retryable: bool
    meaning: str
    fix: str


RULES: Mapping[Code, Rule] = {
    Code.CREDENTIALS_MISSING: Rule(
        401, False, "No token came with the request.", "Set Authorization: Bearer <token> in the client's config."
    ),
    Code.CREDENTIALS_MALFORMED: Rule(
        401,
        False,
        "A credential header is present but cannot be a token: empty, an unexpanded ${VAR}, whitespace, or not a JWT.",
        "Correct the header; the reason field names the slip.",
    ),
    Code.CREDENTIALS_CONFLICT: Rule(
        400, False, "Two credentials came with the request and they differ.", "Send exactly one credential."
    ),
    Code.TOKEN_INVALID: Rule(
        401, False, "The token is not one this server can trust.", "Mint a new token in the admin panel."
    ),
    Code.TOKEN_EXPIRED: Rule(401, False, "The token's lifetime is over.", "Mint a new token in the admin panel."),
    Code.TOKEN_REVOKED: Rule(401, False, "The token was revoked.", "Mint a new token in the admin panel."),
    Code.VERIFICATION_UNAVAILABLE: Rule(
        503, True, "The check of the token could not run, so the call was refused.", "Try again in a few seconds."
    ),
    Code.DOMAIN_MISSING: Rule(
        401,
        False,
        "No x-api-domain came with the request.",
        "Set x-api-domain: https://<subdomain>.nudj.cx/api/v2/admin in the client's config.",
    ),
    Code.DOMAIN_MALFORMED: Rule(
        400,
        False,
        "x-api-domain is not of the form https://<host>/api/v2/admin.",
        "Copy the value from the admin panel; the reason field names the slip.",
    ),
    Code.DOMAIN_CONFLICT: Rule(
        400, False, "The request names two different domains.", "Name the domain once: by header or by path."
    ),
    Code.TENANT_UNKNOWN: Rule(
        404, False, "No organisation is registered for this domain.", "Check the subdomain in x-api-domain."
    ),
    Code.ORGANISATION_MISMATCH: Rule(
        403,
        False,
        "The token belongs to another organisation than the domain.",
        "Use the domain of the token's organisation, or sign in to the other one and mint a token there.",
    ),
    Code.ROLE_DENIED: Rule(
        403, False, "The caller's role does not cover this tool.", "Ask an admin for a token with the role named."
    ),
    Code.COMMUNITY_DENIED: Rule(
        403,
        False,
        "The token is bound to other communities than the call touches.",
        "Use a community the token is bound to.",
    ),
    Code.MODE_DENIED: Rule(
        403, False, "The planner mode allows reading only.", "Leave out x-agent-mode, or set it to builder."
    ),
    Code.MODE_INVALID: Rule(
        400, False, "x-agent-mode or x-toolsets has a value that does not exist.", "Use one of the values in the hint."
    ),
    Code.ARGUMENTS_INVALID: Rule(
        400, False, "An argument is missing, unknown or of the wrong form.", "Correct the fields listed and call again."
    ),
    Code.CONFIRMATION_REQUIRED: Rule(
        409,
        False,
        "The tool destroys something and wants a person's word first.",
        "Ask the person, then call again with the same arguments and the confirm value given.",
    ),
    Code.CONFLICT: Rule(
        409, False, "The call contradicts the present state or an earlier call.", "Read the state, then decide."
    ),
    Code.NOT_FOUND: Rule(
        404, False, "Nothing with this id exists in the caller's reach.", "Take ids from the list tools."
    ),
    Code.UPSTREAM_UNAUTHORIZED: Rule(
        401, False, "The tenant's API does not accept the token: revoked or expired.", "Mint a new token."
    ),
    Code.UPSTREAM_FORBIDDEN: Rule(
        403, False, "The tenant's API refuses this to the token's role.", "Ask an admin of the organisation."
    ),
    Code.UPSTREAM_INVALID: Rule(
        502, False, "The tenant's API answered with something that is not its contract.", "Report the request_id."
    ),
    Code.UPSTREAM_UNAVAILABLE: Rule(
        503, True, "The tenant's API cannot be reached or failed.", "Try again after a short wait."
    ),
    Code.UPSTREAM_TIMEOUT: Rule(
        504, True, "The tenant's API did not answer in time.", "A read may be repeated; after a write, look first."
    ),
    Code.PARTIALLY_COMPLETED: Rule(
        409,
        False,
        "A tool that does several things did some of them.",
        "The partial field lists what exists and how to finish or undo.",
    ),
    Code.RATE_LIMITED: Rule(429, True, "The budget of calls is used up.", "Wait for retry_after_s seconds."),
    Code.RESULT_TOO_LARGE: Rule(
        413, False, "The answer is larger than a client can take.", "Ask for fewer items or name the fields needed."
    ),
    Code.CANCELLED: Rule(499, False, "The client went away before the answer.", "Call again if it is still wanted."),
    Code.INTERNAL: Rule(500, False, "A fault of this server.", "Report the request_id to the operator."),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One argument that is wrong: where (JSON pointer, RFC 6901), why, and what would be legal."""

    pointer: str
    problem: str
    legal: str | None = None


class ToolError(Exception):
    """A call that ends without its answer, said so that a model can act on it and a person can fix it.

    Parameters:
        code: one of the closed list; it settles status and, unless overridden, retryable.
        message: what is wrong, one sentence of ours; never upstream text.
        hint: what to do next; names a real tool, command or legal value. Defaults to the rule's fix.
        reason: a finer word under the code (for example `no_scheme` under domain_malformed).
        retryable: overrides the rule (a write that timed out is not safe to repeat).
        retry_after_s: seconds to wait, >= 0.
        required, held: the permission asked for and what the caller holds.
        organisation: id of the caller's own organisation; never another's.
        fields: the wrong arguments.
        partial: what a half-done chain left behind.
        outcome: what became of the write that was refused; a refusal that nothing was sent for made nothing.
        confirm: the single-use value that lets a destructive call through.
        question: what to ask a person before it is handed back; holds text of the tenant's users, cleaned.
        upstream: the tenant API's own words, cleaned and cut to 300 characters; data, not instruction.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        hint: str | None = None,
        *,
        reason: str | None = None,
        retryable: bool | None = None,
        retry_after_s: float | None = None,
        required: Sequence[str] = (),
        held: Sequence[str] | None = None,
        organisation: str | None = None,
        fields: Sequence[Field] = (),
        partial: Partial | None = None,
        outcome: Outcome = Outcome.NOT_MADE,
        confirm: str | None = None,
        question: str | None = None,
        upstream: str | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        rule = RULES[code]
        self.code = code
        self.status = rule.status
        self.message = message
        self.hint = hint or rule.fix
        self.reason = reason
        self.retryable = rule.retryable if retryable is None else retryable
        self.retry_after_s = retry_after_s
        self.required = tuple(required)
        self.held = None if held is None else tuple(held)
        self.organisation = organisation
        self.fields = tuple(fields)
        self.partial = partial
        self.outcome = outcome
        self.confirm = confirm
        self.question = question
        self.upstream = None if upstream is None else clean_text(upstream, 300)

    def error(self, request_id: str) -> dict[str, Any]:
        """The error object of the envelope (docs/errors.md), without the members that say nothing."""
        said: dict[str, Any] = {
            "code": self.code.value,
            "status": self.status,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
            "request_id": request_id,
        }
        optional: dict[str, Any] = {
            "reason": self.reason,
            "retry_after_s": self.retry_after_s,
            "required": list(self.required) or None,
            "held": None if self.held is None else list(self.held),
            "organisation": self.organisation,
            "fields": [_name_field(field) for field in self.fields] or None,
            "partial": None if self.partial is None else describe_partial(self.partial),
            "question": self.question,
            "confirm": self.confirm,
            "upstream": self.upstream,
        }
        return said | {name: value for name, value in optional.items() if value is not None}


def _name_field(field: Field) -> dict[str, str]:
    named = {"pointer": field.pointer, "problem": field.problem}
    return named if field.legal is None else named | {"legal": field.legal}
