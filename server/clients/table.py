"""The clients known here, one record each: the same for writing a block, for reading one and for diagnosing it."""

import re

from server.clients.client import Client, FilePlace, Grammar, Members
from server.clients.faults import ConfigError
from server.clients.formats import Json, Toml, Yaml

_NAME = r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
BRACED = Grammar("${NAME}", re.compile(rf"\$\{{{_NAME}(?::-(?P<default>[^}}]*))?\}}"))
_MARKED = Grammar("${env:NAME}", re.compile(rf"\$\{{env:{_NAME}\}}"))
_SHELL = Grammar("${NAME}", re.compile(rf"\$(?P<open>\{{)?{_NAME}(?(open)(?::-(?P<default>[^}}]*))?\}})"))
_CURLED = Grammar("{env:NAME}", re.compile(rf"\{{env:{_NAME}\}}"), empty=True)

_PLAIN, _COMMENTED = Json(comments=False), Json(comments=True)
_TYPES = {"http": ("http", "streamable-http"), "sse": ("sse",), "stdio": ("stdio",)}
_SERVERS = ("mcpServers",)


def _everywhere(path: str) -> dict[str, str]:
    return {"darwin": path, "linux": path, "win32": path}


def _each(darwin: str, linux: str, win32: str) -> dict[str, str]:
    return {"darwin": darwin, "linux": linux, "win32": win32}


_CLAUDE_FILE = (_everywhere("~/.claude.json"), ("CLAUDE_CONFIG_DIR", ".claude.json"))

CLIENTS = (
    Client(
        name="claude-code",
        title="Claude Code",
        docs="https://code.claude.com/docs/en/mcp",
        format=_PLAIN,
        places=(
            FilePlace("project", _everywhere(".mcp.json"), _SERVERS),
            FilePlace("user", _CLAUDE_FILE[0], _SERVERS, _CLAUDE_FILE[1]),
            FilePlace("local", _CLAUDE_FILE[0], ("projects", "{folder}", "mcpServers"), _CLAUDE_FILE[1]),
        ),
        order=("local", "project", "user"),
        ways=("http", "mcp-remote", "stdio"),
        members=Members(types=_TYPES, typed=True),
        grammar=BRACED,
        notes=("agree when it asks whether to use the server that .mcp.json brings",),
    ),
    Client(
        name="claude-desktop",
        title="Claude Desktop",
        docs="https://modelcontextprotocol.io/docs/develop/connect-local-servers",
        format=_PLAIN,
        places=(
            FilePlace(
                "user",
                _each(
                    "~/Library/Application Support/Claude/claude_desktop_config.json",
                    "~/.config/Claude/claude_desktop_config.json",
                    "~/AppData/Roaming/Claude/claude_desktop_config.json",
                ),
                _SERVERS,
            ),
        ),
        ways=("stdio", "mcp-remote"),
        members=Members(urls={}),
        grammar=None,
        inherits=False,
        splits=frozenset({"win32"}),
    ),
    Client(
        name="cursor",
        title="Cursor",
        docs="https://cursor.com/docs/context/mcp",
        format=_COMMENTED,
        places=(
            FilePlace("user", _everywhere("~/.cursor/mcp.json"), _SERVERS),
            FilePlace("project", _everywhere(".cursor/mcp.json"), _SERVERS),
        ),
        order=("project", "user"),
        ways=("http", "mcp-remote", "stdio"),
        members=Members(),
        grammar=_MARKED,
        splits=frozenset({"darwin", "linux", "win32"}),
    ),
    Client(
        name="vscode",
        title="Visual Studio Code",
        docs="https://code.visualstudio.com/docs/copilot/reference/mcp-configuration",
        format=_COMMENTED,
        places=(
            FilePlace("project", _everywhere(".vscode/mcp.json"), ("servers",)),
            FilePlace(
                "user",
                _each(
                    "~/Library/Application Support/Code/User/mcp.json",
                    "~/.config/Code/User/mcp.json",
                    "~/AppData/Roaming/Code/User/mcp.json",
                ),
                ("servers",),
            ),
        ),
        order=("project", "user"),
        ways=("http", "mcp-remote", "stdio"),
        members=Members(types={"http": ("http",), "sse": ("sse",), "stdio": ("stdio",)}),
        grammar=_MARKED,
        prompts=True,
    ),
    Client(
        name="codex",
        title="Codex",
        docs="https://developers.openai.com/codex/mcp",
        format=Toml(),
        places=(
            FilePlace("user", _everywhere("~/.codex/config.toml"), ("mcp_servers",), ("CODEX_HOME", "config.toml")),
            FilePlace("project", _everywhere(".codex/config.toml"), ("mcp_servers",)),
        ),
        order=("project", "user"),
        ways=("http", "mcp-remote", "stdio"),
        members=Members(
            urls={"http": "url"},
            headers="http_headers",
            token_variable="bearer_token_env_var",  # noqa: S106 - the name of a member
            header_variables="env_http_headers",
            passed="env_vars",
            switch=("enabled", False),
        ),
        grammar=None,
        inherits=False,
    ),
    Client(
        name="gemini",
        title="Gemini CLI",
        docs="https://geminicli.com/docs/tools/mcp-server",
        format=_COMMENTED,
        places=(
            FilePlace("user", _everywhere("~/.gemini/settings.json"), _SERVERS),
            FilePlace("project", _everywhere(".gemini/settings.json"), _SERVERS),
        ),
        order=("project", "user"),
        ways=("http", "mcp-remote", "stdio"),
        members=Members(urls={"http": "httpUrl", "sse": "url"}),
        grammar=_SHELL,
        inherits=False,
    ),
    Client(
        name="windsurf",
        title="Windsurf",
        docs="https://docs.windsurf.com/windsurf/cascade/mcp",
        format=_PLAIN,
        places=(FilePlace("user", _everywhere("~/.codeium/windsurf/mcp_config.json"), _SERVERS),),
        ways=("http", "mcp-remote", "stdio"),
        members=Members(urls={"http": "serverUrl", "sse": "serverUrl"}, switch=("disabled", True)),
        grammar=_MARKED,
    ),
    Client(
        name="zed",
        title="Zed",
        docs="https://zed.dev/docs/ai/mcp",
        format=_COMMENTED,
        places=(
            FilePlace(
                "user",
                _each(
                    "~/.config/zed/settings.json", "~/.config/zed/settings.json", "~/AppData/Roaming/Zed/settings.json"
                ),
                ("context_servers",),
            ),
        ),
        ways=("stdio", "mcp-remote", "http"),
        members=Members(urls={"http": "url"}),
        grammar=None,
    ),
    Client(
        name="goose",
        title="Goose",
        docs="https://goose-docs.ai/docs/guides/config-files",
        format=Yaml(),
        places=(
            FilePlace(
                "user",
                _each(
                    "~/.config/goose/config.yaml",
                    "~/.config/goose/config.yaml",
                    "~/AppData/Roaming/Block/goose/config/config.yaml",
                ),
                ("extensions",),
            ),
        ),
        ways=("http", "mcp-remote", "stdio"),
        members=Members(
            urls={"http": "uri"},
            types={"http": ("streamable_http",), "stdio": ("stdio",)},
            typed=True,
            command="cmd",
            env="envs",
            passed="env_keys",
            switch=("enabled", False),
            fixed={"enabled": True, "name": "{server}", "description": "Nudj Admin API", "timeout": 300},
        ),
        grammar=_SHELL,
    ),
    Client(
        name="opencode",
        title="opencode",
        docs="https://opencode.ai/docs/mcp-servers",
        format=_COMMENTED,
        places=(
            FilePlace("project", _everywhere("opencode.json"), ("mcp",), also=".jsonc"),
            FilePlace("user", _everywhere("~/.config/opencode/opencode.json"), ("mcp",), also=".jsonc"),
        ),
        order=("project", "user"),
        ways=("http", "mcp-remote", "stdio"),
        members=Members(
            types={"http": ("remote",), "sse": ("remote",), "stdio": ("local",)},
            typed=True,
            joined=True,
            env="environment",
            switch=("enabled", False),
            fixed={"enabled": True},
        ),
        grammar=_CURLED,
    ),
    Client(
        name="mcp-remote",
        title="any client that starts a command",
        docs="https://github.com/punkpeye/mcp-remote",
        format=_PLAIN,
        places=(),
        ways=("mcp-remote",),
        members=Members(),
        grammar=Grammar("${NAME}", re.compile(rf"\$\{{(?:env:)?{_NAME}(?::-(?P<default>[^}}]*))?\}}")),
    ),
)


def find_client(name: str) -> Client:
    """The client of that name.

    Raises:
        ConfigError: there is none; the text lists those there are.
    """
    for client in CLIENTS:
        if client.name == name:
            return client
    raise ConfigError(f"{name} is not a client known here.", f"Known are {', '.join(one.name for one in CLIENTS)}.")
