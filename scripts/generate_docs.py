"""The pages of docs/ that say what the code says; generated from it, so that they cannot disagree.

`python -m scripts.generate_docs` writes them; a test fails while one is out of date.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from server.access import roles
from server.pipeline.envelope_schema import ENVELOPE
from server.protocol import schemas
from server.settings import Settings, name_variable
from tools import CATALOGUE
from tools.api.operations import OPERATIONS
from tools.api.unreachable import OUT_OF_REACH
from tools.prompts import PROMPTS
from tools.refusals import RULES
from tools.resources import RESOURCES
from tools.spec import Tool
from tools.toolsets import DEFAULT, TOOLSETS

_GENERATED = "<!-- Written by `python -m scripts.generate_docs`; change the code, then run it again. -->"

_LANGUAGES = """
## Languages

Every tool over texts takes `language`. A thing is created in one language and then written again in each other one:

1. `create_post {"community_id": "...", "title": "Moon night", "content": "<p>Come</p>"}` in the organisation's own,
2. `update_post {"id": "...", "title": "Mondnacht", "content": "<p>Kommt</p>", "language": "de"}`,
3. `get_post {"id": "...", "language": "de"}` reads it back in German.
"""

_SETTINGS = """
Every setting is an environment variable and, unless it is a secret, a flag of `serve`, `stdio` and `demo`; a flag wins.
All mistakes are told at once, before a port opens, and the process ends with exit code 2. A variable that starts with
`NUDJ_MCP_` and is no setting is a mistake too.

A tenant directory is a TOML file that may change while the server runs; a bad edit leaves the old one in force and says
so in the log:

```toml
[tenants.acme]
organisation = "65a1b2c3d4e5f60718293a4b"
api_domain = "https://acme.nudj.cx/api/v2/admin"
also = ["https://rewards.acme.example/api/v2/admin"]   # custom domains of the same tenant
connect_to = "10.0.0.7:443"                            # dial this address; Host and TLS name stay the tenant's
trust = "acme-ca.pem"                                  # a CA that may vouch for this host, and for no other
service_credential_file = "secrets/acme"               # for upstream_credential = service
```

`tenants_url` gives the same as JSON (`{"tenants": {"acme": {...}}}`, without the members that name local files).
"""

_TOOLSETS = """
A client lists the toolsets marked below unless it sends `x-toolsets`, with names joined by commas or `all`. The marked
ones are the daily round: where (communities), what to do and in what order (challenges, challenge groups, actions), who
is told (posts), how it is found (tags), who took part (users), how it went (reports). The rest is set up once or
seldom, and what is listed costs every conversation its tokens. A tool that is not listed can still be called.
"""


def render_tools() -> str:
    """docs/tools.md: toolsets, every tool with arguments and answer, prompts, resources, coverage of the API."""
    return "\n".join(
        [
            "# Tools",
            "",
            _GENERATED,
            "",
            f"{len(CATALOGUE)} tools over {len(OPERATIONS) - len(OUT_OF_REACH)} of the {len(OPERATIONS)} operations "
            "of the tenant's API; the last table says why not all.",
            "",
            "## Toolsets",
            _TOOLSETS,
            *_render_table(("Toolset", "Listed by default", "Tools"), _list_toolset_rows()),
            _LANGUAGES,
            *(line for word in TOOLSETS for line in _render_toolset(word)),
            "## Prompts",
            "",
            *_render_table(("Prompt", "What it does", "Blanks"), _list_prompt_rows()),
            "",
            "## Resources",
            "",
            *_render_table(("Address", "What it is"), ((f"`{one.uri}`", one.description) for one in RESOURCES)),
            "",
            "## Coverage of the API",
            "",
            *_render_table(("Operation", "Request", "Tools"), _list_coverage_rows()),
            "",
        ]
    )


def render_errors() -> str:
    """docs/errors.md: every code a refusal can have."""
    rows = (
        (f"`{code}`", str(rule.status), "yes" if rule.retryable else "no", rule.meaning, rule.fix)
        for code, rule in RULES.items()
    )
    return "\n".join(
        [
            "# Errors",
            "",
            _GENERATED,
            "",
            'A refused call answers `isError: true` and `{"ok": false, "error": {...}}` with one of these codes; '
            "`hint` says what to do next in this very case.",
            "",
            *_render_table(("Code", "Status", "Worth retrying", "Meaning", "What to do"), rows),
            "",
        ]
    )


def render_settings() -> str:
    """docs/configuration.md: every setting, its variable and flag, its default and what it does."""
    rows = (_render_setting(name, field) for name, field in Settings.model_fields.items())
    return "\n".join(
        [
            "# Configuration",
            "",
            _GENERATED,
            _SETTINGS,
            *_render_table(("Variable", "Flag", "Default", "What it decides"), rows),
            "",
        ]
    )


def render_envelope_schema() -> str:
    """docs/envelope.schema.json: what every structured content validates against."""
    return json.dumps(ENVELOPE, indent=2) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "tools.md": render_tools,
    "errors.md": render_errors,
    "configuration.md": render_settings,
    "envelope.schema.json": render_envelope_schema,
}
"""File in docs/ -> what writes it."""


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (Path(__file__).parents[1] / "docs" / name).write_text(page(), encoding="utf-8")


def _render_table(head: tuple[str, ...], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _render_setting(name: str, field: FieldInfo) -> tuple[str, ...]:
    secret = "Secret" in str(field.annotation)
    default = "" if field.default in (None, ()) else f"`{_render_default(field.default)}`"
    flag = "none: it is a secret" if secret else f"`--{name.replace('_', '-')}`"
    return f"`{name_variable(name)}`", flag, default, str(field.description)


def _render_default(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _list_toolset_rows() -> Iterator[tuple[str, ...]]:
    for word in TOOLSETS:
        names = ", ".join(f"`{tool.name}`" for tool in CATALOGUE if tool.toolset == word)
        yield f"`{word}`", "yes" if word in DEFAULT else "", names


def _render_toolset(word: str) -> Iterator[str]:
    yield from (f"## {word.replace('_', ' ').capitalize()}", "")
    for tool in CATALOGUE:
        if tool.toolset == word:
            yield from _render_tool(tool)


def _render_tool(tool: Tool) -> Iterator[str]:
    needs = ", ".join(f"`{permission}`" for permission in tool.permissions) or "nothing"
    role = roles.load_roles().lowest(tool.permissions)
    yield from (f"### {tool.name}", "", tool.description, "")
    yield f"Effect: {tool.effect}. Needs {needs} (as shipped: {role} and above)."
    yield ""
    schema = schemas.build_input_schema(tool)
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        kind = _render_shape(member, schema.get("$defs", {}))
        yield f"- `{name}`: {kind}{', required' if name in required else ''}. {member['description']}"
    if schema.get("properties"):
        yield ""
    yield from (f"Gives `{_render_model(tool.gives)}`.", "")


def _render_model(model: type[BaseModel]) -> str:
    schema = model.model_json_schema(mode="serialization", by_alias=False)
    return _render_shape(schema, schema.get("$defs", {}))


def _render_shape(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    """A type in few words: `{id: string, tags?: [string]}`."""
    if "$ref" in schema:
        return _render_shape(defs[schema["$ref"].removeprefix("#/$defs/")], defs)
    if "anyOf" in schema:
        return " or ".join(_render_shape(one, defs) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return " / ".join(str(value) for value in schema["enum"])
    match schema.get("type"):
        case "array":
            return f"[{_render_shape(schema.get('items', {}), defs)}]"
        case "object" if "properties" in schema:
            return "{" + ", ".join(_render_member(name, one, defs) for name, one in schema["properties"].items()) + "}"
        case kind:
            return str(kind or "any")


def _render_member(name: str, schema: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    optional = any(one.get("type") == "null" for one in schema.get("anyOf", ()))
    return f"{name}{'?' if optional else ''}: {_render_shape(schema, defs)}"


def _list_prompt_rows() -> Iterator[tuple[str, ...]]:
    for prompt in PROMPTS:
        blanks = ", ".join(f"`{one.name}`{'' if one.required else ' (may stay empty)'}" for one in prompt.arguments)
        yield f"`{prompt.name}`", prompt.description, blanks


def _list_coverage_rows() -> Iterator[tuple[str, ...]]:
    for operation in OPERATIONS:
        names = ", ".join(f"`{tool.name}`" for tool in CATALOGUE if operation in tool.operations)
        reached = names or f"out of reach: {OUT_OF_REACH[operation.id]}"
        yield f"`{operation.id}`", f"`{operation.method} {operation.path}`", reached


if __name__ == "__main__":
    main()
