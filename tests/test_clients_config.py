"""The blocks people paste: each in its client's documented shape, none with a secret, and never at another's cost."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from server.cli import config
from server.clients import client_files
from server.doctor.results import EXIT

DOMAIN = "https://acme.nudj.cx/api/v2/admin"
EXAMPLE = Path(__file__).parent.parent / "claude_config.example.json"
WAYS = [(client, way) for client in client_files.CLIENTS for way in client.ways]

TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
COMMAND: dict[str, Any] = {
    "type": "object",
    "required": ["command", "args"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": "stdio"},
        "command": {"type": "string"},
        "args": {"type": "array", "items": {"type": "string"}},
        "env": TEXTS,
    },
}
URL: dict[str, Any] = {
    "type": "object",
    "required": ["url", "headers"],
    "additionalProperties": False,
    "properties": {"type": {"enum": ["http", "sse"]}, "url": {"type": "string"}, "headers": TEXTS},
}
TYPED = URL | {"required": ["type", "url", "headers"]}


def _servers(key: str, *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    servers = {"type": "object", "minProperties": 1, "additionalProperties": {"oneOf": list(blocks)}}
    return {"type": "object", "required": [key], "additionalProperties": False, "properties": {key: servers} | more}


PROMPT = {
    "type": "object",
    "required": ["type", "id", "description", "password"],
    "properties": {"type": {"const": "promptString"}, "password": {"const": True}},
}
SHAPES = {
    "claude-code": _servers("mcpServers", COMMAND, TYPED),
    "claude-desktop": _servers("mcpServers", COMMAND),
    "cursor": _servers("mcpServers", COMMAND, URL),
    "vscode": _servers("servers", COMMAND, TYPED, inputs={"type": "array", "items": PROMPT}),
    "mcp-remote": _servers("mcpServers", COMMAND),
}


def _target(**changes: Any) -> client_files.Target:
    given = {"server": "nudj", "url": "https://mcp.nudj.cx/mcp", "domain": DOMAIN, "command": ("/opt/nudj-mcp",)}
    return client_files.Target(**given | changes)


def _document(client: client_files.Client, way: client_files.Way) -> dict[str, Any]:
    return client_files.build_document(client, _target(profile="acme", header_file="~/.nudj-header"), way)


@pytest.mark.parametrize(("client", "way"), WAYS, ids=lambda value: getattr(value, "name", value))
def test_every_block_has_the_shape_its_client_documents(client: client_files.Client, way: client_files.Way) -> None:
    jsonschema.validate(_document(client, way), SHAPES[client.name])


@pytest.mark.parametrize(("client", "way"), WAYS, ids=lambda value: getattr(value, "name", value))
def test_no_header_argument_has_a_space_that_some_clients_would_split(
    client: client_files.Client, way: client_files.Way
) -> None:
    block = _document(client, way)[client.key]["nudj"]
    assert not [argument for argument in block.get("args", []) if " " in argument]


def test_mcp_remote_is_pinned_to_one_release() -> None:
    assert client_files.MCP_REMOTE in json.dumps(_document(client_files.find_client("mcp-remote"), "mcp-remote"))
    installed = json.loads((Path(__file__).parent / "clients" / "package.json").read_text())
    assert f"mcp-remote@{installed['dependencies']['mcp-remote']}" == client_files.MCP_REMOTE


def test_a_client_that_expands_nothing_gets_no_place_to_put_a_token() -> None:
    desktop = client_files.find_client("claude-desktop")
    for way in desktop.ways:
        with pytest.raises(client_files.ConfigError, match="no safe place"):
            client_files.build_document(desktop, _target(), way)


def test_a_block_without_an_organisation_is_refused() -> None:
    with pytest.raises(client_files.ConfigError, match="--domain"):
        client_files.build_document(client_files.find_client("cursor"), _target(domain=None))


def test_an_sse_address_is_announced_as_sse() -> None:
    document = client_files.build_document(
        client_files.find_client("claude-code"), _target(url="https://mcp.nudj.cx/sse")
    )
    assert document["mcpServers"]["nudj"]["type"] == "sse"


@pytest.mark.parametrize("client", client_files.CLIENTS, ids=lambda client: client.name)
def test_removing_what_was_merged_leaves_the_file_as_it_was(client: client_files.Client) -> None:
    other: dict[str, Any] = {client.key: {"other": {"command": "x", "args": []}}, "theme": "dark"}
    if client.key == "servers":
        other["inputs"] = [{"type": "promptString", "id": "theirs", "description": "Theirs", "password": True}]
    before = json.dumps(other, indent=4) + "\n"
    merged = client_files.merge(before, _document(client, client.ways[0]))
    assert json.loads(merged)[client.key].keys() == {"other", "nudj"}
    assert client_files.remove(merged, client, "nudj") == before


def test_merging_twice_changes_nothing_more() -> None:
    document = client_files.build_document(client_files.find_client("vscode"), _target())
    once = client_files.merge("", document)
    assert client_files.merge(once, document) == once


@pytest.mark.parametrize(
    ("text", "says"),
    [("{\n// mine\n}", "comments"), ("[]", "not an object"), ('{"mcpServers": []}', "documents")],
)
def test_a_file_that_cannot_be_kept_whole_is_not_touched(text: str, says: str) -> None:
    with pytest.raises(client_files.ConfigError, match=says):
        client_files.merge(text, client_files.build_document(client_files.find_client("claude-code"), _target()))


def test_a_server_that_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(client_files.ConfigError, match="it has other"):
        client_files.remove('{"mcpServers": {"other": {}}}', client_files.find_client("cursor"), "nudj")


def _run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    config.add(parser.add_subparsers())
    arguments = parser.parse_args(["config", *words])
    return int(arguments.run(arguments))


def test_write_keeps_a_backup_and_remove_undoes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mcp.json"
    file.write_text('{\n  "mcpServers": {}\n}\n')
    file.chmod(0o640)
    assert _run("cursor", "--domain", DOMAIN, "--file", str(file), "--write") == 0
    assert json.loads(file.read_text())["mcpServers"]["nudj"]["headers"]["x-api-domain"] == DOMAIN
    assert file.stat().st_mode & 0o777 == 0o640
    assert [copy.read_text() for copy in tmp_path.glob("*.bak")] == ['{\n  "mcpServers": {}\n}\n']
    assert _run("cursor", "--file", str(file), "--remove") == 0
    assert file.read_text() == '{\n  "mcpServers": {}\n}\n'
    assert "Backup" in capsys.readouterr().out


def test_a_linked_file_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles.json", tmp_path / "mcp.json"
    real.write_text("{}")
    link.symlink_to(real)
    assert _run("cursor", "--domain", DOMAIN, "--file", str(link), "--write") == 0
    assert link.is_symlink()
    assert "nudj" in real.read_text()


def test_a_dry_run_shows_the_change_and_makes_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "absent" / "mcp.json"
    assert _run("claude-code", "--domain", DOMAIN, "--file", str(file), "--dry-run") == 0
    assert '+    "nudj": {' in capsys.readouterr().out
    assert not file.parent.exists()


def test_without_write_the_block_is_printed_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("vscode", "--domain", DOMAIN) == 0
    jsonschema.validate(json.loads(capsys.readouterr().out), SHAPES["vscode"])


def test_stdio_starts_the_script_beside_this_interpreter(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("claude-desktop", "--profile", "acme") == 0
    block = json.loads(capsys.readouterr().out)["mcpServers"]["nudj"]
    assert block == {
        "command": str(Path(sys.executable).parent / "nudj-mcp"),
        "args": ["stdio", "--profile", "acme"],
    }


def test_what_cannot_be_done_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("claude-desktop", "--via", "http", "--domain", DOMAIN) == 2
    assert (
        capsys.readouterr().err == "nudj-mcp config: Claude Desktop cannot use http; it can use stdio or mcp-remote.\n"
    )


def test_the_documentation_shows_what_the_command_prints() -> None:
    sections = (Path(__file__).parent.parent / "docs" / "clients.md").read_text().split("\n## ")
    for client in client_files.CLIENTS:
        title = "mcp-remote" if client.name == "mcp-remote" else client.title
        section = next(one for one in sections if one.startswith(f"{title}\n"))
        shown = json.loads(section.split("```json\n")[1].split("```")[0])
        profile = "acme" if client.name == "claude-desktop" else None
        assert shown == client_files.build_document(client, _target(command=("nudj-mcp",), profile=profile)), (
            client.name
        )
        assert "What a failure looks like" in section


def test_the_documentation_lists_every_exit_code_of_the_doctor() -> None:
    text = (Path(__file__).parent.parent / "docs" / "credentials.md").read_text()
    assert [f"| {code} | {kind.value} |" in text for kind, code in EXIT.items()] == [True] * len(EXIT)


def test_the_example_file_is_what_the_command_prints_with_its_values_made_variables() -> None:
    example = json.loads(EXAMPLE.read_text())
    jsonschema.validate(example, SHAPES["claude-code"])
    code = client_files.find_client("claude-code")
    target = client_files.Target(
        server="nudj",
        url="${NUDJ_MCP_URL:-https://mcp.nudj.cx/mcp}",
        domain="${NUDJ_API_DOMAIN:-https://acme.nudj.cx/api/v2/admin}",
    )
    names: dict[str, client_files.Way] = {"nudj": "http", "nudj-remote": "mcp-remote", "nudj-local": "stdio"}
    assert example["mcpServers"] == {
        name: client_files.build_document(code, target, way)["mcpServers"]["nudj"] for name, way in names.items()
    }
