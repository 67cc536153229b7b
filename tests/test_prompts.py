"""Prompts and resources: that they name what exists, fill their blanks, and show nothing they should not."""

import json
import re

import pytest

from tests.support.document_tenant_api import Port
from tests.support.schema_samples import document
from tools import CATALOGUE
from tools.prompts import PROMPTS, Prompt
from tools.refusals import Code
from tools.resources import RESOURCES, Resource

NAMES = {tool.name for tool in CATALOGUE}
VERBS = {name.split("_")[0] for name in NAMES} - {"set", "add"}
PROMPT = pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt.name)
RESOURCE = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.uri)


def filled(prompt: Prompt, *, all_of_them: bool) -> str:
    """The prompt with its blanks filled by their own names."""
    return prompt.render({one.name: f"<{one.name}>" for one in prompt.arguments if one.required or all_of_them})


@PROMPT
def test_a_prompt_uses_every_blank_and_needs_only_the_required_ones(prompt: Prompt) -> None:
    whole = filled(prompt, all_of_them=True)
    assert [one.name for one in prompt.arguments if f"<{one.name}>" not in whole] == []
    assert "None" not in filled(prompt, all_of_them=False)


@PROMPT
def test_a_prompt_names_only_tools_that_exist_and_at_least_one(prompt: Prompt) -> None:
    words = re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", filled(prompt, all_of_them=True))
    named = {word for word in words if word.split("_")[0] in VERBS}
    assert named
    assert named <= NAMES


@PROMPT
def test_values_come_from_a_member_that_the_api_lists(prompt: Prompt) -> None:
    for supply in (one.supply for one in prompt.arguments if one.supply):
        page = document.resolve(document(supply.operation)["responses"]["200"]["content"]["application/json"]["schema"])
        assert supply.member in document.resolve(page["properties"]["edges"]["items"])["properties"]


@RESOURCE
async def test_a_resource_is_text_of_its_type_and_reads_only_what_it_declares(resource: Resource) -> None:
    text = await resource.read(Port(allowed=resource.operations, planted="planted-secret"))
    assert text.strip()
    assert "planted-secret" not in text
    assert resource.mime in {"application/json", "text/markdown"}
    if resource.mime == "application/json":
        json.loads(text)


@RESOURCE
def test_a_resource_of_a_tenant_needs_a_permission_and_no_address_names_a_tenant(resource: Resource) -> None:
    assert bool(resource.permissions) == bool(resource.operations)
    assert re.fullmatch(r"nudj://[a-z/-]+", resource.uri)


async def test_the_error_table_has_every_code() -> None:
    errors = next(one for one in RESOURCES if one.uri == "nudj://reference/errors")
    text = await errors.read(Port())
    assert [code for code in Code if f"`{code}`" not in text] == []
