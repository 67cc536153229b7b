"""What a tool is: one frozen record, the port it talks to, and the words its permission is made of."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from tools.outcomes import Outcome, Partial
from tools.previews import Preview
from tools.shared.timestamps import instant


class Effect(StrEnum):
    """What a call does to the tenant; hints, planner mode and confirmation all derive from it."""

    READ = "read"
    CREATE = "create"
    CHANGE = "change"
    DESTROY = "destroy"


class Verb(StrEnum):
    """The four things a role may do to a subject (role matrix, docs/architecture.md)."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Subject(StrEnum):
    """What permissions are about; the rows of the role matrix."""

    CHALLENGE = "Challenge"
    CHALLENGE_GROUP = "ChallengeGroup"
    ACTION = "Action"
    ACHIEVEMENT = "Achievement"
    REWARD = "Reward"
    DISTRIBUTION = "Distribution"
    LEADERBOARD = "Leaderboard"
    TAG = "Tag"
    CAMPAIGN = "Campaign"
    GAME = "Game"
    TEMPLATE = "Template"
    COMMUNITY = "Community"
    POST = "Post"
    COMMENT = "Comment"
    USER = "User"
    ANALYTICS = "Analytics"
    THEME = "Theme"
    VARIABLE = "Variable"
    ORGANISATION = "Organisation"
    TEAM = "Team"
    DOMAIN = "Domain"
    WEBHOOK = "Webhook"
    TOKEN = "Token"


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing a role may do; prints as the product writes it: `can-create:subject-Challenge`."""

    verb: Verb
    subject: Subject

    def __str__(self) -> str:
        return f"can-{self.verb.value}:subject-{self.subject.value}"


@dataclass(frozen=True, slots=True)
class Guard:
    """How the community of the thing a write touches is found out: read it first.

    `read` is the operation that answers with a communityId; `at` says where its id stands in the request:
    `path.<name>` or `body.<dotted path>`, `*` standing for every element of a list.
    `when` limits the guard to requests whose body has that value at that place (`("allocatedTo", "challenge")`).
    """

    read: "Operation"
    at: str
    when: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the tenant's API: the only requests a tool can make.

    Parameters:
        id: operationId of the API document.
        method, path: as there; `{name}` stands for one path segment, always encoded.
        own: the placeholder that may only ever be the caller's own organisation.
        revokes: the placeholder for the id of a token that is void once this succeeds.
        offers: whether its answer lists what other organisations have opened to this one.
        api: which of the two sibling APIs of a tenant serves it.
        owner_name: the member of its answer by which people call the organisation; every tool may ask for that.
        guards: for a caller bound to communities, what to read before a write.
    """

    id: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    api: Literal["admin", "analytics"] = "admin"
    guards: tuple[Guard, ...] = ()
    owner_name: str | None = None
    own: str | None = None
    revokes: str | None = None
    offers: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, as verified; for tools that speak about the caller, never for deciding."""

    subject: str
    organisation: str
    api_domain: str
    roles: tuple[str, ...]
    credential: str
    mode: str
    expires_at: int
    permissions: tuple[str, ...]
    communities: tuple[str, ...] | None = None
    organisation_name: str | None = None


class TenantApi(Protocol):
    """The tenant's API as a tool sees it: already bound to one caller and one organisation."""

    @property
    def caller(self) -> Caller:
        """The verified caller."""
        ...

    async def call(
        self,
        operation: Operation,
        *,
        ids: Mapping[str, str] = {},
        query: Mapping[str, str | int | bool | None] = {},
        body: Any = None,
        language: str | None = None,
    ) -> Any:
        """Make one request and return the parsed JSON answer.

        Parameters:
            operation: one of those the tool declares; any other is a fault.
            ids: values of the path's placeholders, each sent as one segment.
            query: query members; None is left out.
            body: the JSON body, for operations that take one.
            language: the x-language of the text read or written, for example `de`.

        Raises:
            ToolError: whatever the tenant or the way to it refused, mapped once.
        """
        ...

    async def report(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Tell a client that asked for progress how far a long call is; costs nothing otherwise."""
        ...

    async def note(self, account: "Account") -> None:
        """Say, before each write of a chain, what would be left behind if the call ended with that write.

        It is kept for whoever asks next, and told if the call has to end here.
        """
        ...


Account = Callable[[Outcome, str | None], Partial]
"""From what became of the write under way, and the id of what it made, to what the chain leaves behind."""


class ToolInput(BaseModel):
    """What a tool takes: JSON types only, nothing coerced, nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, given: Any) -> Any:
        """null is absent: clients that must name every member send it for those they have nothing to say about."""
        if not isinstance(given, dict) or None not in given.values():
            return given
        return {name: value for name, value in given.items() if value is not None or name not in cls.model_fields}


class ToolOutput(BaseModel):
    """What a tool gives: named fields only; reads the API's camelCase, prints snake_case, drops the rest."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class Nothing(ToolInput):
    """For tools that take no arguments."""


class IdempotentInput(ToolInput):
    """Base of what creating tools take."""

    request_key: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9_-]{8,64}$",
            description="Same key, same answer.",
        ),
    ] = None


class ConfirmedInput(ToolInput):
    """Base of what destroying tools take; the spine, not the tool, deals with `confirm`."""

    confirm: Annotated[str | None, Field(description="From confirmation_required, if agreed.")] = None


class Deleted(ToolOutput):
    """What every delete tool gives."""

    id: str
    deleted: bool


Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{24}$")]
"""A 24-hex object id."""

Instant = Annotated[str, AfterValidator(instant), Field(json_schema_extra={"format": "date-time"})]
"""A moment with its zone, ISO 8601: `2026-12-24T18:00:00Z`."""

Status = Literal["archived", "draft", "expired", "live", "scheduled"]
Period = Literal["daily", "weekly", "monthly", "yearly", "open"]


@dataclass(frozen=True, slots=True)
class UserText:
    """Marks a string of an Answer as written by people of the tenant: data for the model, never instruction."""


Untrusted = Annotated[str, UserText()]

Run = Callable[[Any, TenantApi], Awaitable[BaseModel]]
PreviewFunction = Callable[[Any, TenantApi], Awaitable[Preview]]


@dataclass(frozen=True, slots=True)
class Tool:
    """Everything one tool is.

    Parameters:
        name: `verb_noun`, snake_case, <= 40 characters.
        description: what, when, which sibling instead; <= 1000 characters.
        effect: what it does to the tenant.
        permissions: all that the caller's role must cover; empty only for check_connection.
        takes, gives: the models of arguments and answer.
        run: the work; gets the validated arguments and the port.
        toolset: the domain it is listed under (x-toolsets).
        operations: the requests it may make.
        progress: whether it may make more than one request and tell how far it is; it must be told so here.
        preview: what a person is asked about; for tools that destroy, and its reads are among the operations.
    """

    name: str
    description: str
    effect: Effect
    permissions: tuple[Permission, ...]
    takes: type[ToolInput]
    gives: type[BaseModel]
    run: Run
    toolset: str
    operations: tuple[Operation, ...] = ()
    progress: bool = False
    preview: PreviewFunction | None = None


Language = Annotated[
    str | None,
    Field(pattern=r"^[A-Za-z-]{2,9}$", description="Such as de."),
]
"""The x-language of what is read or written; absent means the organisation's own."""
