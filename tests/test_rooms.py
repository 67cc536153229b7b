"""The rules of the house: one direction of imports, one door for each library, and files that fit a glance."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS: tuple[frozenset[str], ...] = tuple(
    frozenset(rooms.split())
    for rooms in (
        "__main__",
        "cli",
        "doctor sandbox",
        "clients serving",
        "assembly transports",
        "config_warnings protocol",
        "pipeline",
        "access upstream",
        "identity",
        "tenants",
        "credentials",
        "http observability settings state",
        "setting_types",
    )
)
"""The rooms of server/, from the command line inwards; a room imports only from itself and the layers below."""

AT_THE_TOP = {"__init__", "__main__", "assembly", "config_warnings", "setting_types", "settings"}
"""The modules directly in server/; everything else has a package."""

DOORS = {
    "mcp": ("server.protocol", "server.transports", "server.cli.demo_client"),
    "httpx": (),
    "httpx2": ("server.cli.demo_client", "server.doctor"),
    "aiohttp": ("server.http",),
    "yarl": ("server.http",),
    "httptools": (),
    "redis": ("server.state",),
    "jwt": ("server.identity", "server.sandbox"),
    "cryptography": ("server.identity", "server.sandbox"),
    "tomlkit": ("server.clients.formats",),
    "ruamel": ("server.clients.formats",),
    "filelock": ("server.cli.demo_state",),
    "platformdirs": ("server.cli.demo_state",),
    "keyring": ("server.clients.keychain",),
    "uvicorn": ("server.serving",),
    "prometheus_client": ("server.observability",),
    "jinja2": ("server.sandbox",),
    "jsonschema": ("server.sandbox",),
}
"""Libraries, and the modules or packages that may know them."""

SEEN_OF_TOOLS = {
    "tools.spec",
    "tools.plain_text",
    "tools.previews",
    "tools.refusals",
    "tools.outcomes",
    "tools.shared.paging",
    "tools.api.operations",
    "tools.api.recognition",
}
"""What the rooms see of the catalogue; prompts and resources are records of their own."""

COMPOSING = {"__main__", "cli", "doctor"}

IRREGULAR = set(
    """told said written heard given found kept made taken held shown left chosen drawn bound sent met seen known gone
    done built brought caught paid spent spoken stood thrown understood won begun broken driven hidden led lost meant
    sold sought taught thought torn fed dealt bought worn laid""".split()  # noqa: SIM905 - a list of forty is harder to read
)
VERBS_IN_ED = frozenset({"feed", "seed", "need", "embed", "exceed", "proceed", "speed"})
MOST_PARTICIPLES = 0.03


def _files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _room(module: str) -> str:
    """The room of a module of server/: its file, or the package it is in."""
    return module.split(".")[1] if "." in module else "__init__"


@cache
def _modules() -> frozenset[str]:
    return frozenset(_name(path) for path in _files("server", "tools"))


def _imports(path: Path) -> Iterator[str]:
    """Modules a file imports when it runs; a name imported from a package is that package's module where it is one."""
    tree = ast.parse(path.read_text("utf-8"))
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in _modules() else node.module


def _layer(room: str) -> int:
    return next(level for level, rooms in enumerate(LAYERS) if room in rooms)


SERVER = pytest.mark.parametrize("path", _files("server"), ids=_name)
EVERY = pytest.mark.parametrize("path", _files("server", "tools"), ids=_name)


@SERVER
def test_imports_run_one_way(path: Path) -> None:
    room = _room(_name(path))
    if room == "__init__":
        return
    theirs = {_room(module) for module in _imports(path) if module.startswith("server.")} - {room}
    assert {other for other in theirs if _layer(other) <= _layer(room)} == set()


def test_no_two_modules_need_each_other() -> None:
    needs = {_name(path): {m for m in _imports(path) if m in _modules()} for path in _files("server", "tools")}
    done: set[str] = set()
    while ready := {module for module, others in needs.items() if module not in done and others <= done | {module}}:
        done |= ready
    assert set(needs) - done == set()


def test_few_modules_stand_outside_a_package() -> None:
    assert {path.stem for path in (ROOT / "server").glob("*.py")} == AT_THE_TOP


@EVERY
def test_each_library_has_its_door(path: Path) -> None:
    inside = f"{_name(path)}."
    known = {imported.split(".")[0] for imported in _imports(path)} & DOORS.keys()
    assert {
        library for library in known if not inside.startswith(tuple(f"{door}." for door in DOORS[library]))
    } == set()


@pytest.mark.parametrize("path", _files("tools"), ids=_name)
def test_the_catalogue_knows_nothing_of_the_server(path: Path) -> None:
    known = {imported.split(".")[0] for imported in _imports(path)}
    assert known & {"server", "mcp", "starlette", "opentelemetry", "os", "sys", "asyncio"} == set()


@SERVER
def test_only_the_command_line_wires_the_catalogue_in(path: Path) -> None:
    if _room(_name(path)) in COMPOSING or _name(path) == "server.serving.catalogue":
        return
    seen = {module for module in _imports(path) if module.split(".")[0] == "tools"}
    assert seen - SEEN_OF_TOOLS <= {"tools.prompts", "tools.resources"}


@EVERY
def test_only_settings_reads_the_environment(path: Path) -> None:
    reads = "os.environ" in path.read_text("utf-8") or "getenv" in path.read_text("utf-8")
    assert not reads or _name(path) == "server.settings"


STARTERS = re.compile(
    r"\b(subprocess|multiprocessing|ProcessPoolExecutor|to_process|run_process|create_subprocess\w+"
    r"|os\.(exec|spawn|posix_spawn|fork|popen|system|startfile)\w*|open_process|StdioServerParameters)\b"
)
"""Ways to start a process that lie within reach."""


@EVERY
def test_one_room_starts_ourselves(path: Path) -> None:
    """Started any other way, we would run what lies in the folder a person stands in, with the token at hand."""
    text, module = path.read_text("utf-8"), _name(path)
    names_us = re.search(r"sys\.executable|[\"']-m[\"' ]|runpy", text) is not None
    assert not names_us or module == "server.clients.own_process"
    assert STARTERS.search(text) is None or module in {"server.doctor.mcp_client", "server.cli.demo_client"}


@EVERY
def test_every_file_says_why_it_exists_and_fits_a_glance(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert len(text.splitlines()) <= 300
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    assert [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= 60] == []


def _nodes(kind: type[ast.AST], *folders: str) -> list[str]:
    trees = [ast.parse(path.read_text("utf-8")) for path in _files(*folders)]
    return [node.name for tree in trees for node in ast.walk(tree) if isinstance(node, kind)]  # type: ignore[attr-defined]  # definitions have names


def _is_participle(function: str) -> bool:
    first = function.strip("_").split("_")[0]
    return first in IRREGULAR or (first.endswith("ed") and first not in VERBS_IN_ED)


def test_functions_begin_with_a_verb_rather_than_a_participle() -> None:
    functions = [
        name
        for name in _nodes(ast.FunctionDef, "server") + _nodes(ast.AsyncFunctionDef, "server")
        if not name.startswith("__")
    ]
    assert len([name for name in functions if _is_participle(name)]) <= MOST_PARTICIPLES * len(functions)


def test_one_class_name_means_one_thing() -> None:
    names = _nodes(ast.ClassDef, "server")
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_every_helper_of_the_tests_stands_in_their_readme() -> None:
    readme = (ROOT / "tests" / "support" / "README.md").read_text("utf-8")
    assert {path.name for path in _files("tests/support")} == set(re.findall(r"`(\w+\.py)`", readme))
    assert {path.name for path in (ROOT / "tests").glob("*.py") if not path.name.startswith("test_")} == {"conftest.py"}
