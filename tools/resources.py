"""Resources: reference data an agent may read without spending a tool call, behind the same gate as the tools."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from tools.api import operations as op
from tools.content import tags
from tools.organisation import organisation
from tools.people import communities
from tools.refusals import RULES
from tools.shared.action_types import ACTION_TYPES
from tools.spec import Nothing, Operation, Permission, Status, Subject, TenantApi, Verb

Read = Callable[[TenantApi], Awaitable[str]]

_MARKDOWN = "text/markdown"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing to read.

    Parameters:
        uri: fixed; nothing of a tenant stands in it.
        name, description: what a menu shows.
        mime: media type of the text.
        permissions: what the caller's role must cover; empty for what is the same for everyone.
        read: gives the text, from the caller's own tenant where it is a tenant's.
        operations: the requests it makes.
    """

    uri: str
    name: str
    description: str
    mime: str
    permissions: tuple[Permission, ...]
    read: Read
    operations: tuple[Operation, ...] = ()


async def _action_types(_api: TenantApi) -> str:
    return "\n".join(["# Action types", "", *(f"- `{key}`" for key in ACTION_TYPES), ""])


_STATUSES = {
    "draft": "Being made; nobody sees it.",
    "scheduled": "Goes live by itself at starts_at.",
    "live": "People see it and can take part.",
    "expired": "Over, since expires_at.",
    "archived": "Put away; can be brought back.",
}


async def _statuses(_api: TenantApi) -> str:
    rows = (f"| `{status}` | {_STATUSES[status]} |" for status in sorted(get_args(Status)))
    return "\n".join(["# Statuses", "", "| Status | Meaning |", "|---|---|", *rows, ""])


_ROLES = {
    "viewer": "Reads everything but domains, webhooks and tokens.",
    "moderator": "Also writes posts and moderates users.",
    "manager": "Also writes challenges, rewards and all other content, and invites colleagues.",
    "admin": "Also users, theme, domains, webhooks, tokens.",
    "super-admin": "Everything, still within the token's organisation.",
}


async def _roles(api: TenantApi) -> str:
    rows = (f"| `{role}` | {meaning} |" for role, meaning in _ROLES.items())
    held = (f"- `{permission}`" for permission in api.caller.permissions)
    return "\n".join(
        [
            "# Roles",
            "",
            "As shipped; an operator may have changed what a role covers. What counts is the list below.",
            "",
            "| Role | May |",
            "|---|---|",
            *rows,
            "",
            "# What this token may do",
            "",
            *held,
            "",
        ]
    )


async def _errors(_api: TenantApi) -> str:
    rows = (f"| `{code}` | {rule.status} | {rule.meaning} | {rule.fix} |" for code, rule in RULES.items())
    return "\n".join(["# Errors", "", "| Code | Status | Meaning | What to do |", "|---|---|---|---|", *rows, ""])


async def _organisation(api: TenantApi) -> str:
    return _text(await organisation.get_organisation(Nothing(), api))


async def _tags(api: TenantApi) -> str:
    return _text(await tags.list_tags(tags.List(limit=100), api))


async def _communities(api: TenantApi) -> str:
    return _text(await communities.list_communities(communities.List(limit=100), api))


def _text(answer: BaseModel) -> str:
    found: Any = answer.model_dump(mode="json", exclude_none=True)
    return json.dumps(found, ensure_ascii=False, indent=1)


def _may(subject: Subject) -> tuple[Permission, ...]:
    return (Permission(Verb.READ, subject),)


RESOURCES: tuple[Resource, ...] = (
    Resource(
        "nudj://reference/action-types", "action-types", "Keys that actions may have.", _MARKDOWN, (), _action_types
    ),
    Resource(
        "nudj://reference/statuses", "statuses", "Statuses of content and what they mean.", _MARKDOWN, (), _statuses
    ),
    Resource("nudj://reference/roles", "roles", "Roles, and what this token may do.", _MARKDOWN, (), _roles),
    Resource("nudj://reference/errors", "errors", "Every error code and its way out.", _MARKDOWN, (), _errors),
    Resource(
        "nudj://organisation",
        "organisation",
        "Your organisation.",
        _JSON,
        _may(Subject.ORGANISATION),
        _organisation,
        (op.GET_ORGANISATION,),
    ),
    Resource(
        "nudj://tags",
        "tags",
        "The first 100 tags; for more, list_tags.",
        _JSON,
        _may(Subject.TAG),
        _tags,
        (op.GET_TAGS,),
    ),
    Resource(
        "nudj://communities",
        "communities",
        "The first 100 communities; for more, list_communities.",
        _JSON,
        _may(Subject.COMMUNITY),
        _communities,
        (op.GET_COMMUNITIES,),
    ),
)
