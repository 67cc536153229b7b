"""What each client wants to read in its own file so that it finds this server.

No block holds a secret: a client gets a reference it expands itself, a prompt, a header file, or a keychain profile.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from server.clients.client import DOMAIN, TOKEN, Client, FilePlace, Way
from server.clients.faults import ConfigError
from server.clients.formats import Json
from server.clients.target import Target

MCP_REMOTE = "mcp-remote@0.15.1"
INPUT = "nudj-token"
_PROMPT = {"type": "promptString", "id": INPUT, "description": "Nudj MCP token", "password": True}

Block = dict[str, Any]


def build_document(client: Client, target: Target, way: Way | None = None, place: FilePlace | None = None) -> Block:
    """The whole file as it would be if it held nothing else.

    Raises:
        ConfigError: the client cannot go that way, or has no safe place for the token on it.
    """
    block = build_block(client, target, way)
    whole: Block = {target.server: block}
    for key in reversed((place or client.find_place(None) or _NOWHERE).keys):
        whole = {key: whole}
    return {"inputs": [_PROMPT]} | whole if asks(block) else whole


_NOWHERE = FilePlace("", {}, ("mcpServers",))


def build_block(client: Client, target: Target, way: Way | None = None) -> Block:
    """One server's entry.

    Raises:
        ConfigError: see `build_document`.
    """
    way = way or choose_way(client, target)
    if way not in client.ways:
        raise ConfigError(f"{client.title} cannot use {way};", f"it can use {' or '.join(client.ways)}.")
    build = {"http": _build_http, "mcp-remote": _build_remote, "stdio": _build_stdio}[way]
    return build(client, target)


def choose_way(client: Client, target: Target) -> Way:
    """The way that suits client and target best."""
    return "http" if target.signs_in and "http" in client.ways else client.ways[0]


def asks(block: Any) -> bool:
    """Whether the entry makes the client ask for the token."""
    return f"${{input:{INPUT}}}" in json.dumps(block, default=str)


def put(client: Client, keys: tuple[str, ...], text: str, server: str, block: Block) -> str:
    """The client's file with our entry put in; everything else stays, in its order, with its comments.

    Parameters:
        keys: where servers are listed in this file.
        text: the file as it is; empty when there is none.

    Raises:
        ConfigError: the file is not what the client documents; nothing is guessed.
    """
    prompts = _list_prompts(client, text)
    after = client.format.put(text, (*keys, server), block)
    if asks(block) and isinstance(client.format, Json) and INPUT not in [_name(one) for one in prompts]:
        after = client.format.append(after, ("inputs",), _PROMPT)
    return after


def remove(client: Client, keys: tuple[str, ...], text: str, server: str) -> str:
    """The client's file without our entry, and without the prompt that only it used.

    Raises:
        ConfigError: the file is not what the client documents, or has no server of that name.
    """
    servers = find_servers(client, keys, text)
    if server not in servers:
        raise ConfigError(f"The file has no server named {server};", f"it has {', '.join(servers) or 'none'}.")
    after = client.format.drop(text, (*keys, server))
    places = [place for place, one in enumerate(_list_prompts(client, text)) if _name(one) == INPUT]
    others = [block for name, block in servers.items() if name != server]
    if not places or any(asks(block) for block in others) or not isinstance(client.format, Json):
        return after
    for place in reversed(places):
        after = client.format.drop_item(after, ("inputs",), place)
    return after if _list_prompts(client, after) else client.format.drop(after, ("inputs",))


def find_servers(client: Client, keys: tuple[str, ...], text: str) -> Mapping[str, Any]:
    """The servers that a file lists.

    Raises:
        ConfigError: it is not what the client documents.
    """
    found: Any = client.format.read(text)
    for key in keys:
        found = found.get(key, {})
        if not isinstance(found, Mapping):
            raise ConfigError(f"The member {key} of the file is not what the client documents.", "Correct it first.")
    servers: Mapping[str, Any] = found
    return servers


def build_links(client: Client, target: Target, block: Block) -> tuple[str, ...]:
    """Links that make the client offer to install the entry; none for a client that knows no such link."""
    compact = json.dumps(block, separators=(",", ":"))
    if client.name == "cursor":
        config = quote(base64.b64encode(compact.encode()).decode(), safe="")
        return (f"cursor://anysphere.cursor-deeplink/mcp/install?name={quote(target.server, safe='')}&config={config}",)
    if client.name == "vscode":
        inputs: Block = {"inputs": [_PROMPT]} if asks(block) else {}
        whole = {"name": target.server, **inputs, **block}
        return (f"vscode:mcp/install?{quote(json.dumps(whole, separators=(',', ':')), safe='')}",)
    return ()


def _list_prompts(client: Client, text: str) -> list[Any]:
    if not client.prompts:
        return []
    prompts = client.format.read(text).get("inputs", [])
    if not isinstance(prompts, list):
        raise ConfigError("The member inputs of the file is not what the client documents.", "Correct it first.")
    return prompts


def _name(prompt: Any) -> Any:
    return prompt.get("id") if isinstance(prompt, Mapping) else None


def _build_http(client: Client, target: Target) -> Block:
    members = client.members
    if target.kind not in members.urls:
        raise ConfigError(f"{client.title} does not speak SSE:", "name the path /mcp.", "no_sse")
    block = {**_type(client, target.kind), members.urls[target.kind]: target.url}
    if target.signs_in:
        return _complete(client, target, block)
    if members.token_variable is None:
        domain = {} if target.subdomain else {"x-api-domain": _domain(client, target)}
        return _complete(
            client, target, {**block, members.headers: {"Authorization": f"Bearer {_token(client)}", **domain}}
        )
    block[members.token_variable] = TOKEN
    if target.domain is not None:
        block[members.headers] = {"x-api-domain": target.domain}
    elif not target.subdomain:
        block[str(members.header_variables)] = {"x-api-domain": DOMAIN}
    return block


def _build_remote(client: Client, target: Target) -> Block:
    # No space after the colon: Cursor and Claude Desktop on Windows split arguments at spaces.
    domain = () if target.subdomain else ("--header", f"x-api-domain:{_domain(client, target)}")
    start = ("-y", MCP_REMOTE, target.url)
    if target.signs_in:
        return _command(client, target, ("npx", *start))
    if not client.expands_commands:
        if target.header_file is None:
            raise _no_safe_place(
                client,
                "use stdio with --profile (the keychain), or name a 0600 file of that header: --header-file.",
            )
        return _command(client, target, ("npx", *start, "--header-file", target.header_file, *domain))
    words = ("npx", *start, "--header", "Authorization:${AUTH_HEADER}", *domain)
    return _command(client, target, words, {"AUTH_HEADER": f"Bearer {_token(client)}"})


def _build_stdio(client: Client, target: Target) -> Block:
    if target.profile is not None:
        return _command(client, target, (*target.command, "stdio", "--profile", target.profile))
    if client.members.passed is not None:
        given = {} if target.domain is None else {DOMAIN: target.domain}
        passed = [TOKEN] if target.domain else [TOKEN, DOMAIN]
        return {**_command(client, target, (*target.command, "stdio"), given), client.members.passed: passed}
    if client.grammar is None:
        raise _no_safe_place(client, "run `nudj-mcp login` and name the profile with --profile.")
    given = {TOKEN: _token(client), DOMAIN: _domain(client, target)}
    return _command(client, target, (*target.command, "stdio"), given)


def _type(client: Client, kind: str) -> Block:
    words = client.members.types.get(kind, ())
    return {"type": words[0]} if words else {}


def _command(client: Client, target: Target, words: tuple[str, ...], env: Mapping[str, str] = {}) -> Block:
    members = client.members
    named: Block = (
        {members.command: list(words)} if members.joined else {members.command: words[0], members.args: list(words[1:])}
    )
    return _complete(client, target, {**_type(client, "stdio"), **named, **({members.env: dict(env)} if env else {})})


def _complete(client: Client, target: Target, block: Block) -> Block:
    members = client.members
    fixed = {name: target.server if value == "{server}" else value for name, value in members.fixed.items()}
    if members.passed is not None and members.token_variable is None and members.headers in block:
        fixed[members.passed] = [TOKEN] if target.domain or target.subdomain else [TOKEN, DOMAIN]
    return {**block, **fixed}


def _token(client: Client) -> str:
    if client.prompts:
        return f"${{input:{INPUT}}}"
    if client.grammar is None:
        raise _no_safe_place(client, "use stdio with --profile (the keychain).")
    return client.grammar.refer(TOKEN)


def _domain(client: Client, target: Target) -> str:
    if target.domain is not None:
        return target.domain
    if client.grammar is None:
        raise ConfigError(
            f"{client.title} expands no variables, so the organisation has to be named:",
            "--domain https://<subdomain>.nudj.cx/api/v2/admin.",
            "domain_missing",
        )
    return client.grammar.refer(DOMAIN)


def _no_safe_place(client: Client, fix: str) -> ConfigError:
    return ConfigError(
        f"{client.title} expands no variables there, so the token has no safe place in its file:", fix, "no_safe_place"
    )
