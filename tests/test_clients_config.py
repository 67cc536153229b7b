"""The blocks people paste: each in its client's documented shape, none with a secret, and never at another's cost."""

import argparse
import base64
import json
import os
import pty
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jsonschema
import pytest
import yaml

from server.cli import config
from server.clients import blocks, own_process
from server.clients.client import Client, Machine, Way
from server.clients.entries import Reached, Started, read_entry
from server.clients.faults import ConfigError
from server.clients.formats import Json, Toml, Yaml
from server.clients.table import CLIENTS, find_client
from server.clients.target import Target, check_domain, complete_domain, read_target
from server.doctor.mcp_remote import parse_command
from server.doctor.results import EXIT

ROOT = Path(__file__).parent.parent
DOMAIN = "https://acme.nudj.cx/api/v2/admin"
URL = "https://mcp.nudj.cx/mcp"
EXAMPLE = ROOT / "claude_config.example.json"
WAYS = [(client, way) for client in CLIENTS for way in client.ways]
EACH = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
EACH_WAY = pytest.mark.parametrize(("client", "way"), WAYS, ids=lambda value: getattr(value, "name", value))

TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
LIST = {"type": "array", "items": {"type": "string"}}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required.split(),
        "additionalProperties": False,
        "properties": properties,
    }


TEXT = {"type": "string"}
COMMAND = _object("command args", type={"const": "stdio"}, command=TEXT, args=LIST, env=TEXTS)
URLS = _object("url", type={"enum": ["http", "sse"]}, url=TEXT, headers=TEXTS)
TYPED = URLS | {"required": ["type", "url"]}
GOOSE: dict[str, Any] = {
    "enabled": {"const": True},
    "name": {"const": "nudj"},
    "description": TEXT,
    "timeout": {"type": "integer"},
    "env_keys": LIST,
}
OPENCODE: dict[str, Any] = {"enabled": {"const": True}}


def _servers(key: str, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    servers = {"type": "object", "minProperties": 1, "additionalProperties": {"oneOf": list(entries)}}
    return {"type": "object", "required": [key], "additionalProperties": False, "properties": {key: servers} | more}


PROMPT = {
    "type": "object",
    "required": ["type", "id", "description", "password"],
    "properties": {"type": {"const": "promptString"}, "password": {"const": True}},
}
SHAPES = {
    "claude-code": _servers("mcpServers", COMMAND, TYPED),
    "claude-desktop": _servers("mcpServers", COMMAND),
    "cursor": _servers("mcpServers", COMMAND, URLS),
    "vscode": _servers("servers", COMMAND, TYPED, inputs={"type": "array", "items": PROMPT}),
    "codex": _servers(
        "mcp_servers",
        _object("command args", command=TEXT, args=LIST, env=TEXTS, env_vars=LIST),
        _object("url", url=TEXT, bearer_token_env_var=TEXT, http_headers=TEXTS, env_http_headers=TEXTS),
    ),
    "gemini": _servers("mcpServers", COMMAND, _object("httpUrl", httpUrl=TEXT, headers=TEXTS)),
    "windsurf": _servers("mcpServers", COMMAND, _object("serverUrl", serverUrl=TEXT, headers=TEXTS)),
    "zed": _servers("context_servers", COMMAND, URLS),
    "goose": _servers(
        "extensions",
        _object("type cmd args name enabled", type={"const": "stdio"}, cmd=TEXT, args=LIST, envs=TEXTS, **GOOSE),
        _object("type uri name enabled", type={"const": "streamable_http"}, uri=TEXT, headers=TEXTS, **GOOSE),
    ),
    "opencode": _servers(
        "mcp",
        _object("type command enabled", type={"const": "local"}, command=LIST, environment=TEXTS, **OPENCODE),
        _object("type url enabled", type={"const": "remote"}, url=TEXT, headers=TEXTS, **OPENCODE),
    ),
    "mcp-remote": _servers("mcpServers", COMMAND),
}


def _target(**changes: Any) -> Target:
    given = {"server": "nudj", "url": URL, "domain": DOMAIN, "command": ("/opt/nudj-mcp",)}
    return Target(**given | changes)


def _build(client: Client, way: Way) -> dict[str, Any]:
    url = "https://mcp.nudj.cx/o/mcp" if (client.name, way) == ("zed", "http") else URL
    profile = "acme" if way == "stdio" else None
    return blocks.build_document(client, _target(url=url, profile=profile, header_file="~/.nudj-header"), way)


def _block(client: Client, way: Way) -> dict[str, Any]:
    whole = _build(client, way)
    return dict(next(value for key, value in whole.items() if key != "inputs")["nudj"])


@EACH_WAY
def test_every_block_has_the_shape_its_client_documents(client: Client, way: Way) -> None:
    jsonschema.validate(_build(client, way), SHAPES[client.name])


@EACH_WAY
def test_no_header_argument_has_a_space_that_some_clients_would_split(client: Client, way: Way) -> None:
    block = _block(client, way)
    words = [*block.get("args", []), *(block["command"] if client.members.joined and "command" in block else [])]
    assert not [word for word in words if " " in word]


@EACH_WAY
def test_what_is_written_for_a_client_is_read_as_it_reads_it(client: Client, way: Way, tmp_path: Path) -> None:
    """The one table: out through it and in again is the same URL and the same two values."""
    header = tmp_path / "header"
    header.write_text("Authorization: Bearer a.b.c\n")
    profile = "acme" if way == "stdio" and not (client.expands_commands or client.members.passed) else None
    target = _target(profile=profile, header_file=str(header))
    if (client.name, way) == ("zed", "http"):
        target = _target(url="https://mcp.nudj.cx/o/mcp")
    block = blocks.build_block(client, target, way)
    around = {"NUDJ_MCP_TOKEN": "a.b.c", "PATH": os.defpath}
    entry = read_entry(client, block, Machine(sys.platform, tmp_path, tmp_path, around))
    if isinstance(entry, Started) and entry.words[0] == "npx":
        url, headers = parse_command(entry.words[2:], entry.environment)
        entry = Reached(url, "http", headers)
    if isinstance(entry, Reached):
        wanted = {} if target.signs_in else {"Authorization": "Bearer a.b.c", "x-api-domain": DOMAIN}
        assert (entry.url, dict(entry.headers)) == (target.url, wanted)
    elif profile is None:
        assert entry.words == ("/opt/nudj-mcp", "stdio")
        assert (entry.environment["NUDJ_MCP_TOKEN"], entry.environment["NUDJ_API_DOMAIN"]) == ("a.b.c", DOMAIN)
    else:
        assert entry.words == ("/opt/nudj-mcp", "stdio", "--profile", "acme")


def test_mcp_remote_is_pinned_to_one_release() -> None:
    assert blocks.MCP_REMOTE in json.dumps(_build(find_client("mcp-remote"), "mcp-remote"))
    installed = json.loads((ROOT / "tests" / "clients" / "package.json").read_text())
    assert f"mcp-remote@{installed['dependencies']['mcp-remote']}" == blocks.MCP_REMOTE


@pytest.mark.parametrize("name", ["claude-desktop", "zed"])
def test_a_client_that_expands_nothing_gets_no_place_to_put_a_token(name: str) -> None:
    for way in find_client(name).ways:
        with pytest.raises(ConfigError, match="no safe place"):
            blocks.build_document(find_client(name), _target(), way)


def test_an_sse_address_is_announced_as_sse() -> None:
    document = blocks.build_document(find_client("claude-code"), _target(url="https://mcp.nudj.cx/sse"))
    assert document["mcpServers"]["nudj"]["type"] == "sse"


def test_a_path_that_names_the_organisation_or_signs_in_needs_no_header_for_it() -> None:
    code = find_client("claude-code")
    named = blocks.build_block(code, _target(url="https://mcp.nudj.cx/t/acme/mcp", domain=None))
    assert named["headers"] == {"Authorization": "Bearer ${NUDJ_MCP_TOKEN}"}
    assert blocks.build_block(code, _target(url="https://mcp.nudj.cx/x/o/mcp")) == {
        "type": "http",
        "url": "https://mcp.nudj.cx/x/o/mcp",
    }


WRONG_URLS = {
    "no scheme": "mcp.example.com/mcp",
    "another scheme": "ftp://mcp.example.com/mcp",
    "plain http to elsewhere": "http://mcp.example.com/mcp",
    "plain http to a name that only looks local": "http://localhost.example.com/mcp",
    "no path": "https://mcp.example.com",
    "another path": "https://mcp.example.com/api",
    "a door with something after it": "https://mcp.example.com/mcp/tools",
    "a query": "https://mcp.example.com/mcp?token=x",
    "a fragment": "https://mcp.example.com/mcp#x",
    "a password": "https://me:secret@mcp.example.com/mcp",
    "white space": "https://mcp.example.com/mcp ",
    "a port that cannot be": "https://mcp.example.com:99999/mcp",
    "capitals in a subdomain": "https://mcp.example.com/t/ACME/mcp",
    "sse behind a subdomain": "https://mcp.example.com/t/acme/sse",
    "sse behind a sign-in": "https://mcp.example.com/o/sse",
    "no host": "https:///mcp",
    "nothing": "",
}
RIGHT_URLS = (
    "https://mcp.example.com/mcp",
    "https://mcp.example.com:8443/tools/nudj/mcp",
    "https://mcp.example.com/sse",
    "https://mcp.example.com/t/acme/mcp",
    "https://mcp.example.com/o/mcp",
    "https://mcp.example.com/x/o/t/acme/mcp",
    "http://127.0.0.1:4010/mcp",
    "http://[::1]:4010/mcp",
    "http://localhost:4010/mcp",
    "http://acme.localhost:4010/mcp",
)
WRONG_DOMAINS = ("acme", "acme.nudj.cx", "https://acme.nudj.cx", f"{DOMAIN}/", DOMAIN.replace("https", "http"), "")


def _run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    config.add(parser.add_subparsers())
    arguments = parser.parse_args(["config", *words])
    return int(arguments.run(arguments))


@pytest.mark.parametrize("url", WRONG_URLS.values(), ids=WRONG_URLS)
def test_a_url_that_cannot_work_is_refused_and_nothing_written(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mcp.json"
    assert _run("claude-code", "--url", url, "--domain", DOMAIN, "--file", str(file), "--write") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("nudj-mcp config: The URL ")
    assert "secret" not in said.err
    assert not file.exists()


@pytest.mark.parametrize("domain", WRONG_DOMAINS)
def test_a_domain_that_cannot_work_is_refused_and_nothing_written(
    domain: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mcp.json"
    assert _run("cursor", "--domain", domain, "--file", str(file), "--write") == 2
    assert capsys.readouterr().err.startswith("nudj-mcp config: The domain ")
    assert not file.exists()


@pytest.mark.parametrize("url", RIGHT_URLS)
def test_every_door_of_the_server_is_taken(url: str) -> None:
    assert read_target("nudj", url, None).url == url
    assert read_target("nudj", f"{url}/", None).url == url


def test_the_embedded_tenant_is_an_organisation_and_two_organisations_are_not_one() -> None:
    assert check_domain("http://acme.localhost:4011/api/v2/admin")
    with pytest.raises(ConfigError, match="another one"):
        read_target("nudj", "https://mcp.nudj.cx/t/globex/mcp", DOMAIN)


@pytest.mark.parametrize("answer", ["acme", " acme ", "https://acme.nudj.cx", "https://acme.nudj.cx/", DOMAIN])
def test_what_a_person_answers_is_completed(answer: str) -> None:
    assert complete_domain(answer) == DOMAIN


KEPT = {
    "json": '{\n    // mine\n    "KEY": {\n        "other": {"url": "x"} // theirs\n    },\n    "a": 1 // last\n}\n',
    "toml": '# mine\nmodel = "x" # why\n\n[KEY.other]\ncommand = "x"\n\n[tools]\nweb = true\n',
    "yaml": '# mine\nGOOSE_MODEL: "x"  # why\nKEY:\n  # theirs\n  other:\n    enabled: false\n',
}


@EACH
def test_removing_what_was_written_leaves_the_file_as_it_was_with_its_comments(client: Client) -> None:
    kind = {Toml: "toml", Yaml: "yaml"}.get(type(client.format), "json")
    keys = ("mcpServers",) if not client.places else client.places[0].keys
    before = KEPT[kind].replace("KEY", keys[0])
    if isinstance(client.format, Json) and not client.format.comments:
        before = before.replace("// mine", "").replace("// theirs", "").replace("// last", "")
    after = blocks.put(client, keys, before, "nudj", _block(client, client.ways[0]))
    assert blocks.find_servers(client, keys, after).keys() == {"other", "nudj"}
    assert [word for word in ("mine", "theirs", "last", "why") if (word in before) != (word in after)] == []
    assert blocks.remove(client, keys, after, "nudj") == before
    assert blocks.put(client, keys, after, "nudj", _block(client, client.ways[0])) == after


@EACH
def test_a_file_of_a_client_is_its_own_format(client: Client) -> None:
    text = client.format.show(_build(client, client.ways[0]))
    parse = {Toml: tomllib.loads, Yaml: yaml.safe_load}.get(type(client.format), json.loads)
    jsonschema.validate(parse(text), SHAPES[client.name])  # type: ignore[operator]  # one of three parsers of text


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("claude-code", "{\n// mine\n}", "comment"),
        ("claude-code", "[]", "object"),
        ("claude-code", '{"mcpServers": []}', "documents"),
        ("cursor", '{"mcpServers": {"a": {}}', "JSON"),
        ("codex", "[mcp_servers", "TOML"),
        ("codex", 'mcp_servers = "x"', "documents"),
        ("goose", "extensions: [", "YAML"),
        ("goose", "- x", "object"),
    ],
)
def test_a_file_that_cannot_be_kept_whole_is_not_touched(
    name: str, text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text(text)
    assert _run(name, "--domain", DOMAIN, "--file", str(file), "--write") == 2
    assert says in capsys.readouterr().err
    assert file.read_text() == text
    assert list(tmp_path.iterdir()) == [file]


def test_a_server_that_is_not_there_cannot_be_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mcp.json"
    file.write_text('{"mcpServers": {"other": {}}}')
    assert _run("cursor", "--file", str(file), "--remove") == 2
    assert "it has other" in capsys.readouterr().err


def test_write_keeps_one_backup_and_remove_undoes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mcp.json"
    file.write_text('{\n  "mcpServers": {}\n}\n')
    file.chmod(0o640)
    words = ("cursor", "--domain", DOMAIN, "--file", str(file), "--write")
    assert _run(*words) == 0
    assert json.loads(file.read_text())["mcpServers"]["nudj"]["headers"]["x-api-domain"] == DOMAIN
    assert file.stat().st_mode & 0o777 == 0o640
    assert [copy.read_text() for copy in tmp_path.glob("*.bak")] == ['{\n  "mcpServers": {}\n}\n']
    assert _run(*words) == 0
    assert capsys.readouterr().out.count("Unchanged:") == 1
    assert _run("cursor", "--file", str(file), "--remove", "--dry-run") == 0
    assert '-    "nudj": {' in capsys.readouterr().out
    assert _run("cursor", "--file", str(file), "--remove") == 0
    assert file.read_text() == '{\n  "mcpServers": {}\n}\n'
    assert "Backup" in capsys.readouterr().out
    assert len(list(tmp_path.glob("*.bak"))) == 1


def test_another_organisation_under_the_same_name_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mcp.json"
    words = ("claude-code", "--file", str(file), "--write", "--domain")
    assert _run(*words, DOMAIN) == 0
    assert "Replaces" not in capsys.readouterr().out
    assert _run(*words, DOMAIN.replace("acme", "globex")) == 0
    said = capsys.readouterr().out
    assert "Replaces what led to https://mcp.nudj.cx/mcp for https://acme.nudj.cx/api/v2/admin" in said


def test_what_is_left_to_do_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("claude-code", "--file", str(tmp_path / "mcp.json"), "--write") == 0
    said = capsys.readouterr().out.partition("then:\n")[2]
    assert [
        word for word in ("NUDJ_MCP_TOKEN", "NUDJ_API_DOMAIN", "restart", "doctor claude-code") if word not in said
    ] == []


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


@EACH
def test_without_anything_said_a_block_with_variables_is_printed_and_nothing_else(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    header = ("--header-file", "h", "--domain", DOMAIN) if client.name == "zed" else ()
    assert _run(client.name, *header) == 0
    said = capsys.readouterr()
    parse = {Toml: tomllib.loads, Yaml: yaml.safe_load}.get(type(client.format), json.loads)
    jsonschema.validate(parse(said.out), SHAPES[client.name])  # type: ignore[operator]  # one of three parsers of text
    assert "then:" in said.err
    if client.grammar is not None:
        assert "NUDJ_API_DOMAIN" in said.out


def test_on_a_terminal_the_organisation_is_asked_for(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    words = [*own_process.isolate_ourselves({}, "config", "claude-code", "--file", "mcp.json", "--write").command]
    with subprocess.Popen(
        words, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, env={"HOME": str(tmp_path)}
    ) as asked:
        os.close(theirs)
        os.write(ours, b"not a domain\nacme\n")
        said = b"".join(_read_terminal(ours))
    assert asked.returncode == 0, said
    assert b"Your organisation" in said
    entry = json.loads((tmp_path / "mcp.json").read_text())["mcpServers"]["nudj"]
    assert entry["headers"]["x-api-domain"] == DOMAIN


def _read_terminal(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            yield os.read(terminal, 4096)
        except OSError:  # the other end was closed
            os.close(terminal)
            return


def test_deep_links_carry_the_block_itself() -> None:
    cursor, vscode = find_client("cursor"), find_client("vscode")
    (link,) = blocks.build_links(cursor, _target(), _block(cursor, "http"))
    asked = parse_qs(urlsplit(link).query)
    assert asked["name"] == ["nudj"]
    assert json.loads(base64.b64decode(asked["config"][0])) == _block(cursor, "http")
    (link,) = blocks.build_links(vscode, _target(), _block(vscode, "http"))
    carried = json.loads(unquote(link.removeprefix("vscode:mcp/install?")))
    assert carried.pop("name") == "nudj"
    assert carried.pop("inputs")[0]["password"] is True
    assert carried == _block(vscode, "http")


def test_stdio_starts_the_script_beside_this_interpreter(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("claude-desktop", "--profile", "acme") == 0
    command, *first = own_process.name_command()
    block = json.loads(capsys.readouterr().out)["mcpServers"]["nudj"]
    assert block == {"command": command, "args": [*first, "stdio", "--profile", "acme"]}


def test_what_cannot_be_done_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("claude-desktop", "--via", "http", "--domain", DOMAIN) == 2
    assert (
        capsys.readouterr().err == "nudj-mcp config: Claude Desktop cannot use http; it can use stdio or mcp-remote.\n"
    )


@EACH
def test_the_documentation_shows_what_the_command_prints(client: Client) -> None:
    sections = (ROOT / "docs" / "clients.md").read_text().split("\n## ")
    title = "mcp-remote" if client.name == "mcp-remote" else client.title
    section = next(one for one in sections if one.startswith(f"{title}\n"))
    shown = section.split("```")[1].partition("\n")[2]
    profile = "acme" if client.ways[0] == "stdio" else None
    assert shown == client.format.show(blocks.build_document(client, _target(command=("nudj-mcp",), profile=profile)))
    assert "What a failure looks like" in section


def test_the_documentation_lists_every_exit_code_of_the_doctor() -> None:
    text = (ROOT / "docs" / "credentials.md").read_text()
    assert [f"| {code} | {kind.value} |" in text for kind, code in EXIT.items()] == [True] * len(EXIT)


def test_the_example_file_is_what_the_command_prints_with_its_values_made_variables() -> None:
    example = json.loads(EXAMPLE.read_text())
    jsonschema.validate(example, SHAPES["claude-code"])
    code = find_client("claude-code")
    target = Target(
        server="nudj",
        url="${NUDJ_MCP_URL:-https://mcp.nudj.cx/mcp}",
        domain="${NUDJ_API_DOMAIN:-https://acme.nudj.cx/api/v2/admin}",
    )
    names: dict[str, Way] = {"nudj": "http", "nudj-remote": "mcp-remote", "nudj-local": "stdio"}
    assert {name: entry | {"type": "x"} for name, entry in example["mcpServers"].items()} == {
        name: blocks.build_block(code, target, way) | {"type": "x"} for name, way in names.items()
    }
