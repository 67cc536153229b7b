"""Webhooks: where the tenant reports events to. Values of headers are secrets, so they go in and never come out."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints, field_validator

from tools.api import operations as op
from tools.previews import Preview
from tools.shared.changes import changes
from tools.shared.paging import Page, PageOf, page
from tools.spec import (
    ConfirmedInput,
    Effect,
    Nothing,
    Permission,
    Subject,
    TenantApi,
    Tool,
    ToolInput,
    ToolOutput,
    Untrusted,
    Verb,
)

Event = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,80}$")]
_BODY_SHOWN = 500


class Webhook(ToolOutput):
    """One place events are sent to."""

    url: str
    events: tuple[str, ...]
    http_method: str | None = None
    is_enabled: bool | None = None
    max_retries: int | None = None
    header_names: tuple[str, ...] = ()


class Webhooks(ToolOutput):
    """All places events are sent to."""

    configs: tuple[Webhook, ...]


async def get_webhooks(_given: Nothing, api: TenantApi) -> Webhooks:
    """The webhook configs in force."""
    return _shape(await _read(api))


class Header(ToolInput):
    """One header of a delivery."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,80}$", description="Name.")]
    value: Annotated[str, Field(pattern=r"^[ -~]{1,2000}$", description="Never shown again.")]


class Hook(ToolInput):
    """One place to send events to."""

    url: Annotated[str, Field(pattern=r"^https://\S+$", description="https URL.")]
    events: Annotated[list[Event], Field(min_length=1, description="Such as challenge-completion.")]
    is_enabled: Annotated[bool, Field(description="Deliver now.")] = True
    headers: Annotated[list[Header] | None, Field(description="Absent: those of this url stay.")] = None


class Set(ConfirmedInput):
    """Arguments of set_webhooks."""

    configs: Annotated[list[Hook], Field(max_length=50, description="All of them; one left out is removed.")]


async def set_webhooks(given: Set, api: TenantApi) -> Webhooks:
    """The webhook configs replaced by those given; headers not mentioned stay with their url."""
    now = {config.url: config.headers for config in (await _read(api)).configs}
    configs = [_config(hook, now.get(hook.url, {})) for hook in given.configs]
    return _shape(_Found.model_validate(await api.call(op.PUT_WEBHOOK_CONFIGS, body={"configs": configs})))


async def preview_webhooks(given: Set, api: TenantApi) -> Preview:
    """What would be removed, added, changed and kept, by URL."""
    now = {config.url: config for config in (await _read(api)).configs}
    kept = {hook.url for hook in given.configs}
    details = [f"removed: {url}" for url in sorted(now.keys() - kept)]
    unchanged = 0
    for hook in given.configs:
        if hook.url in now and not _differs(hook, now[hook.url]):
            unchanged += 1
        else:
            act = "changed" if hook.url in now else "added"
            details.append(f"{act}: {hook.url} ({', '.join(hook.events)})")
    return Preview("Replace all webhooks", details=(*details, f"{unchanged} unchanged"))


def _differs(hook: Hook, config: "_Config") -> bool:
    headers = config.headers if hook.headers is None else {header.name: header.value for header in hook.headers}
    enabled = True if config.is_enabled is None else config.is_enabled
    return set(hook.events) != set(config.events) or hook.is_enabled != enabled or headers != config.headers


def _config(hook: Hook, now: dict[str, str]) -> dict[str, Any]:
    headers = now if hook.headers is None else {header.name: header.value for header in hook.headers}
    return changes(hook, "headers") | {"headers": headers}


async def _read(api: TenantApi) -> "_Found":
    return _Found.model_validate(await api.call(op.GET_WEBHOOK_CONFIGS))


def _shape(found: "_Found") -> Webhooks:
    return Webhooks(
        configs=tuple(
            Webhook(**config.model_dump(exclude={"headers"}), header_names=tuple(sorted(config.headers)))
            for config in found.configs
        )
    )


class _Config(ToolOutput):
    url: str
    events: tuple[str, ...]
    http_method: str | None = None
    is_enabled: bool | None = None
    max_retries: int | None = None
    headers: dict[str, str] = Field(default_factory=dict, repr=False)


class _Found(ToolOutput):
    configs: tuple[_Config, ...]


class Delivery(ToolOutput):
    """One attempt to deliver an event; what was sent stays with the tenant."""

    id: str | None = None
    webhook_config_id: str | None = None
    event_sub_category: str | None = None
    url: str | None = None
    response_status: int | None = None
    attempt: int | None = None
    success: bool | None = None
    error_message: Untrusted | None = None
    response_body: Untrusted | None = None
    created_at: str | None = None

    @field_validator("response_body")
    @classmethod
    def _shorten(cls, text: str | None) -> str | None:
        if text is None or len(text) <= _BODY_SHOWN:
            return text
        return f"{text[:_BODY_SHOWN]}... (the whole body is in the admin panel, webhook logs)"


async def list_webhook_logs(given: PageOf, api: TenantApi) -> Page[Delivery]:
    """One page of delivery attempts."""
    return await page(api, op.GET_WEBHOOK_LOGS, Delivery, given)


def _may(*verbs: Verb) -> tuple[Permission, ...]:
    return tuple(Permission(verb, Subject.WEBHOOK) for verb in verbs)


GET = Tool(
    name="get_webhooks",
    description="Reads where events are sent to, without header values. For deliveries, use list_webhook_logs.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=Nothing,
    gives=Webhooks,
    run=get_webhooks,
    toolset="webhooks",
    operations=(op.GET_WEBHOOK_CONFIGS,),
)
SET = Tool(
    name="set_webhooks",
    description="Replaces all webhooks at once; those left out are removed. Start from get_webhooks.",
    effect=Effect.DESTROY,
    permissions=_may(Verb.UPDATE, Verb.DELETE),
    takes=Set,
    gives=Webhooks,
    run=set_webhooks,
    toolset="webhooks",
    progress=True,
    operations=(op.GET_WEBHOOK_CONFIGS, op.PUT_WEBHOOK_CONFIGS),
    preview=preview_webhooks,
)
LOGS = Tool(
    name="list_webhook_logs",
    description="Lists attempts to deliver events. For the set-up, use get_webhooks.",
    effect=Effect.READ,
    permissions=_may(Verb.READ),
    takes=PageOf,
    gives=Page[Delivery],
    run=list_webhook_logs,
    toolset="webhooks",
    operations=(op.GET_WEBHOOK_LOGS,),
)

TOOLS = (GET, SET, LOGS)
