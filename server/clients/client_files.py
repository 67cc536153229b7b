"""What each AI client wants to read in its own config file so that it finds this server.

No block holds a secret: a client gets a reference it expands itself, a prompt, a header file, or a keychain profile.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Way = Literal["http", "mcp-remote", "stdio"]

MCP_REMOTE = "mcp-remote@0.15.1"
TOKEN = "NUDJ_MCP_TOKEN"
_INPUT = "nudj-token"


class ConfigError(Exception):
    """A client's file or a wish for it that cannot be served; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Client:
    """How one client is configured.

    Parameters:
        name: the word on our command line.
        title: what its makers call it.
        key: the member of its file that lists servers.
        ways: how it can reach this server, the recommended one first.
        token: how its file refers to the token without holding it; None when it expands nothing.
        paths: its file per `sys.platform`, `~` being the home folder; a plain name stands in the project's folder.
        docs: where its shape is documented.
        typed: whether its file names the transport of each server.
    """

    name: str
    title: str
    key: str
    ways: tuple[Way, ...]
    token: str | None
    paths: Mapping[str, str]
    docs: str
    typed: bool = False


def _everywhere(path: str) -> dict[str, str]:
    return {"darwin": path, "linux": path, "win32": path}


CLIENTS = (
    Client(
        name="claude-code",
        title="Claude Code",
        key="mcpServers",
        ways=("http", "mcp-remote", "stdio"),
        token=f"${{{TOKEN}}}",
        paths=_everywhere(".mcp.json"),
        docs="https://code.claude.com/docs/en/mcp",
        typed=True,
    ),
    Client(
        name="claude-desktop",
        title="Claude Desktop",
        key="mcpServers",
        ways=("stdio", "mcp-remote"),
        token=None,
        paths={
            "darwin": "~/Library/Application Support/Claude/claude_desktop_config.json",
            "linux": "~/.config/Claude/claude_desktop_config.json",
            "win32": "~/AppData/Roaming/Claude/claude_desktop_config.json",
        },
        docs="https://modelcontextprotocol.io/docs/develop/connect-local-servers",
    ),
    Client(
        name="cursor",
        title="Cursor",
        key="mcpServers",
        ways=("http", "mcp-remote", "stdio"),
        token=f"${{env:{TOKEN}}}",
        paths=_everywhere("~/.cursor/mcp.json"),
        docs="https://cursor.com/docs/context/mcp",
    ),
    Client(
        name="vscode",
        title="Visual Studio Code",
        key="servers",
        ways=("http", "mcp-remote", "stdio"),
        token=f"${{input:{_INPUT}}}",
        paths=_everywhere(".vscode/mcp.json"),
        docs="https://code.visualstudio.com/docs/copilot/reference/mcp-configuration",
        typed=True,
    ),
    Client(
        name="mcp-remote",
        title="any client that starts a command",
        key="mcpServers",
        ways=("mcp-remote",),
        token=f"${{{TOKEN}}}",
        paths={},
        docs="https://github.com/punkpeye/mcp-remote",
    ),
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a block should lead to.

    Parameters:
        server: the name under which the client lists us.
        url: the deployment's endpoint, ending in /mcp or /sse.
        domain: the organisation's API, `https://<subdomain>.nudj.cx/api/v2/admin`; a profile brings its own.
        command: what starts this program, its words before `stdio`.
        profile: keychain profile for stdio; None when the token comes from the environment.
        header_file: file of the Authorization line, for clients that expand nothing.
    """

    server: str
    url: str
    domain: str | None = None
    command: tuple[str, ...] = ("nudj-mcp",)
    profile: str | None = None
    header_file: str | None = None


def find_client(name: str) -> Client:
    """The client of that name.

    Raises:
        ConfigError: there is none; the text lists those there are.
    """
    for client in CLIENTS:
        if client.name == name:
            return client
    raise ConfigError(f"{name} is not a client known here; known are {', '.join(one.name for one in CLIENTS)}.")


def locate_file(client: Client, system: str) -> str | None:
    """Where the client keeps its file on that system (`sys.platform`); None when it has no place of its own."""
    return client.paths.get(system)


def build_document(client: Client, target: Target, way: Way | None = None) -> dict[str, Any]:
    """The whole file as it would be if it held nothing else.

    Raises:
        ConfigError: the client cannot go that way, or has no safe place for the token on it.
    """
    block = _build_block(client, target, way or client.ways[0])
    whole: dict[str, Any] = {client.key: {target.server: block}}
    if client.key == "servers" and _asks(block):
        ask = {"type": "promptString", "id": _INPUT, "description": "Nudj MCP token", "password": True}
        whole = {"inputs": [ask]} | whole
    return whole


def _build_block(client: Client, target: Target, way: Way) -> dict[str, Any]:
    if way not in client.ways:
        raise ConfigError(f"{client.title} cannot use {way}; it can use {' or '.join(client.ways)}.")
    if way == "stdio" and target.profile is not None:
        return _command(client, target, "stdio", "--profile", target.profile)
    if target.domain is None:
        raise ConfigError("Name the organisation: --domain https://<subdomain>.nudj.cx/api/v2/admin.")
    if way == "http":
        return _build_http(client, target)
    return _build_remote(client, target) if way == "mcp-remote" else _build_stdio(client, target)


def _choose_kind(client: Client, kind: str) -> dict[str, str]:
    return {"type": kind} if client.typed else {}


def _build_http(client: Client, target: Target) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {client.token}", "x-api-domain": target.domain}
    return {
        **_choose_kind(client, "sse" if target.url.endswith("/sse") else "http"),
        "url": target.url,
        "headers": headers,
    }


def _build_remote(client: Client, target: Target) -> dict[str, Any]:
    # No space after the colon: Cursor and Claude Desktop on Windows split arguments at spaces.
    domain = ("--header", f"x-api-domain:{target.domain}")
    start = ("-y", MCP_REMOTE, target.url)
    if client.token is None:
        if target.header_file is None:
            raise ConfigError(
                f"{client.title} expands no variables, so the token has no safe place in its file: use stdio with "
                "--profile (the keychain), or name a file that holds the Authorization line with --header-file."
            )
        return {"command": "npx", "args": [*start, "--header-file", target.header_file, *domain]}
    return {
        "command": "npx",
        "args": [*start, "--header", "Authorization:${AUTH_HEADER}", *domain],
        "env": {"AUTH_HEADER": f"Bearer {client.token}"},
    }


def _build_stdio(client: Client, target: Target) -> dict[str, Any]:
    if client.token is None:
        raise ConfigError(
            f"{client.title} expands no variables, so the token has no safe place in its file: run `nudj-mcp login` "
            "and name the profile with --profile."
        )
    env = {TOKEN: client.token, "NUDJ_API_DOMAIN": target.domain}
    return _command(client, target, "stdio") | {"env": env}


def _command(client: Client, target: Target, *words: str) -> dict[str, Any]:
    command, *first = target.command
    return {**_choose_kind(client, "stdio"), "command": command, "args": [*first, *words]}


def merge(text: str, addition: Mapping[str, Any]) -> str:
    """The client's file with our members put in; everything else stays, in its order.

    Parameters:
        text: the file as it is; empty when there is none.
        addition: what `document` gave.

    Raises:
        ConfigError: the file is not plain JSON of the expected shape; nothing is guessed.
    """
    whole = _parse(text)
    for key, value in addition.items():
        if isinstance(value, list):
            kept = [one for one in _member(whole, key, list) if one.get("id") != _INPUT]
            whole[key] = [*kept, *value]
        else:
            whole[key] = _member(whole, key, dict) | value
    return _print_like(whole, text)


def remove(text: str, client: Client, server: str) -> str:
    """The client's file without our server, and without the prompt only it used.

    Raises:
        ConfigError: the file is not plain JSON, or has no server of that name.
    """
    whole = _parse(text)
    servers = _member(whole, client.key, dict)
    if server not in servers:
        raise ConfigError(f"The file has no server named {server}; it has {', '.join(servers) or 'none'}.")
    whole[client.key] = {name: block for name, block in servers.items() if name != server}
    if "inputs" in whole and not any(_asks(block) for block in whole[client.key].values()):
        whole["inputs"] = [one for one in _member(whole, "inputs", list) if one.get("id") != _INPUT]
        if not whole["inputs"]:
            del whole["inputs"]
    return _print_like(whole, text)


def _asks(block: Any) -> bool:
    return f"${{input:{_INPUT}}}" in json.dumps(block)


def _parse(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        whole = json.loads(text)
    except ValueError as error:
        raise ConfigError(
            f"The file is not plain JSON ({error}). It may hold comments, which a rewrite would lose: paste the block "
            "that `nudj-mcp config` prints without --write."
        ) from None
    if not isinstance(whole, dict):
        raise ConfigError("The file is JSON, but not an object.")
    return whole


def _member(whole: Mapping[str, Any], key: str, kind: type) -> Any:
    value = whole.get(key, kind())
    if not isinstance(value, kind):
        raise ConfigError(f"The member {key} of the file is not what the client documents.")
    return value


def _print_like(whole: Mapping[str, Any], before: str) -> str:
    found = re.search(r"^\{\n([ \t]+)\"", before)
    return json.dumps(whole, indent=found[1] if found else "  ", ensure_ascii=False) + "\n"
