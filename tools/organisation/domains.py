"""Domains: the hosts an organisation answers on; removing one ends every token tied to it."""

from typing import Annotated

from pydantic import Field

from tools.api import operations as op
from tools.previews import Preview
from tools.refusals import Code, ToolError
from tools.spec import (
    ConfirmedInput,
    Effect,
    IdempotentInput,
    Nothing,
    Permission,
    Subject,
    TenantApi,
    Tool,
    ToolOutput,
    Verb,
)

_HOST = r"^([a-z0-9-]+\.)+[a-z]{2,63}$"


class Domains(ToolOutput):
    """The hosts in use."""

    api_domain: str
    user_domain: str
    custom_domains: tuple[str, ...]


async def get_domains(_given: Nothing, api: TenantApi) -> Domains:
    """The organisation's hosts."""
    return Domains.model_validate(await api.call(op.GET_DOMAINS))


class Add(IdempotentInput):
    """Arguments of add_domain."""

    domain: Annotated[str, Field(pattern=_HOST, description="Such as club.example.com.")]


class DnsRecord(ToolOutput):
    """A DNS record that proves the host is yours."""

    type: str | None = None
    domain: str | None = None
    value: str | None = None
    reason: str | None = None


class Verification(ToolOutput):
    """How far the proof has come."""

    verified: bool | None = None
    verification: tuple[DnsRecord, ...] = ()


class Added(ToolOutput):
    """What add_domain gives: set the records at the DNS provider, then look with get_domains."""

    success: bool
    data: Verification | None = None


async def add_domain(given: Add, api: TenantApi) -> Added:
    """A custom host added, with the DNS records still to set."""
    return Added.model_validate(await api.call(op.ADD_DOMAIN, body={"domain": given.domain}))


class Remove(ConfirmedInput):
    """Arguments of remove_domain."""

    domain: Annotated[str, Field(pattern=_HOST, description="From get_domains.")]


async def remove_domain(given: Remove, api: TenantApi) -> Domains:
    """The hosts left after one was removed."""
    return Domains.model_validate(await api.call(op.REMOVE_DOMAIN, body={"domain": given.domain}))


async def preview_removal(given: Remove, api: TenantApi) -> Preview:
    """The host, if it is one of the organisation's.

    Raises:
        ToolError: not_found, when it is not.
    """
    known = Domains.model_validate(await api.call(op.GET_DOMAINS)).custom_domains
    if given.domain not in known:
        raise ToolError(Code.NOT_FOUND, "The organisation has no such custom domain.", "Look with get_domains.")
    return Preview("Remove the domain", given.domain, details=("every token tied to it stops working",))


GET = Tool(
    name="get_domains",
    description="Reads the hosts the organisation answers on. To add one, use add_domain.",
    effect=Effect.READ,
    permissions=(Permission(Verb.READ, Subject.DOMAIN),),
    takes=Nothing,
    gives=Domains,
    run=get_domains,
    toolset="domains",
    operations=(op.GET_DOMAINS,),
)
ADD = Tool(
    name="add_domain",
    description="Adds a custom host and gives the DNS records to set. To look again, use get_domains.",
    effect=Effect.CREATE,
    permissions=(Permission(Verb.CREATE, Subject.DOMAIN),),
    takes=Add,
    gives=Added,
    run=add_domain,
    toolset="domains",
    operations=(op.ADD_DOMAIN,),
)
REMOVE = Tool(
    name="remove_domain",
    description="Removes a custom host; every token tied to it stops working. See get_domains first.",
    effect=Effect.DESTROY,
    permissions=(Permission(Verb.DELETE, Subject.DOMAIN),),
    takes=Remove,
    gives=Domains,
    run=remove_domain,
    toolset="domains",
    progress=True,
    operations=(op.GET_DOMAINS, op.REMOVE_DOMAIN),
    preview=preview_removal,
)

TOOLS = (GET, ADD, REMOVE)
