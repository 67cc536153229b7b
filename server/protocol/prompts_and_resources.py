"""Prompts and resources behind the same gate as the tools: reading one is a call like any other, by another name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from server.pipeline.context import CallRequest
from server.pipeline.dispatcher import Dispatcher
from tools.prompts import Argument, Prompt, Supply
from tools.refusals import ToolError
from tools.resources import Resource
from tools.shared.paging import Edges
from tools.spec import Effect, Nothing, Operation, Permission, Run, TenantApi, Tool

COMPLETIONS = 20
"""Values offered for one blank of a prompt; the specification allows 100 at most."""


class Unknown(Exception):
    """No prompt or resource has this name: a protocol error."""


class Text(BaseModel):
    """What a resource says."""

    text: str


class Words(BaseModel):
    """Values that fit a blank."""

    words: list[str]


@dataclass(frozen=True, slots=True)
class PromptsAndResources:
    """What there is to read and to fill in."""

    calls: Dispatcher
    prompts: Mapping[str, Prompt]
    resources: Mapping[str, Resource]

    async def list_resources(self, asked: CallRequest) -> tuple[Resource, ...]:
        """The resources this caller may read; to a stranger those that are the same for everyone."""
        try:
            admission = await self.calls.admit(asked, "resources/list")
        except ToolError:
            return tuple(each for each in self.resources.values() if not each.permissions)
        decide = self.calls.grants.decide
        return tuple(
            each
            for each in self.resources.values()
            if decide(admission.principal, _as_tool(each), admission.mode).denied is None
        )

    async def read(self, asked: CallRequest, uri: str) -> tuple[Resource, str]:
        """One resource and its text.

        Raises:
            Unknown: no resource has this URI.
            ToolError: as for a tool.
        """
        resource = self.resources.get(uri)
        if resource is None:
            raise Unknown(uri)
        data = await self._data(asked, "resources/read", _as_tool(resource))
        return resource, data["text"]

    async def fill_prompt(self, asked: CallRequest, name: str, said: Mapping[str, str]) -> str:
        """A prompt with its blanks filled.

        Raises:
            Unknown: no prompt has this name, or a required argument is missing.
            ToolError: the caller is not admitted.
        """
        prompt = self.prompts.get(name)
        if prompt is None or any(blank.required and not said.get(blank.name) for blank in prompt.arguments):
            raise Unknown(name)
        await self.calls.admit(asked, "prompts/get")
        return prompt.render({blank.name: said[blank.name][:500] for blank in prompt.arguments if blank.name in said})

    async def complete_argument(self, asked: CallRequest, name: str, argument: str, begun: str) -> tuple[str, ...]:
        """Values for a blank that start with what was typed; none when the caller may not see them."""
        prompt = self.prompts.get(name)
        blank = next((each for each in prompt.arguments if each.name == argument), None) if prompt else None
        if blank is None:
            return ()
        offered = await self._offer(asked, blank)
        return tuple(word for word in offered if word.lower().startswith(begun.lower()))[:COMPLETIONS]

    async def _offer(self, asked: CallRequest, blank: Argument) -> tuple[str, ...]:
        if blank.supply is None:
            return blank.choices
        try:
            data = await self._data(asked, "completion/complete", _build_listing(blank.supply))
        except ToolError:
            return ()
        return tuple(data["words"])

    async def _data(self, asked: CallRequest, method: str, tool: Tool) -> dict[str, Any]:
        envelope = await self.calls.run(asked, method, tool, {})
        if envelope.refusal is not None:
            raise envelope.refusal
        data: dict[str, Any] = json.loads(envelope.text)["data"]
        return data


def _as_tool(resource: Resource) -> Tool:
    async def run(_given: Nothing, api: TenantApi) -> Text:
        return Text(text=await resource.read(api))

    return _build_reader(resource.uri, resource.description, resource.permissions, run, resource.operations)


def _build_listing(supply: Supply) -> Tool:
    async def run(_given: Nothing, api: TenantApi) -> Words:
        found = Edges.model_validate(await api.call(supply.operation, query={"limit": 100}))
        return Words(words=[str(edge[supply.member]) for edge in found.edges if supply.member in edge])

    return _build_reader(supply.operation.id, "", (supply.permission,), run, (supply.operation,))


def _build_reader(
    name: str, description: str, permissions: tuple[Permission, ...], run: Run, operations: tuple[Operation, ...]
) -> Tool:
    return Tool(name, description, Effect.READ, permissions, Nothing, BaseModel, run, "connection", operations)
