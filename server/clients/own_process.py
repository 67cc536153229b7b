"""The only place that starts ourselves as a child, out of reach of the folder a person stands in.

`python -m server` looks for modules in the working directory first, and PYTHON* variables add folders and files: a
`jwt.py` or `sitecustomize.py` lying there would be run with the token in its environment.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# -P leaves the working directory out, -E the PYTHON* variables. Not -I, which is both and also leaves out the user's
# own site-packages: what `pip install --user` put there is where we may be installed.
_MODULE = ("-E", "-P", "-m", "server")


@dataclass(frozen=True, slots=True)
class OwnProcess:
    """What to start, and the whole environment to start it in."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)


def isolate_ourselves(environment: Mapping[str, str], *words: str) -> OwnProcess:
    """This program as a child of its own.

    Parameters:
        environment: what the child is to have of the parent's; PYTHON* variables are left out.
        words: the child's command line.
    """
    return OwnProcess((sys.executable, *_MODULE, *words), clean_environment(environment))


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment whose PYTHON* variables lead no Python astray: none of the given, and the safe path asked for.

    -E alone is not enough: `site` reads PYTHONUSERBASE all the same, and a client's file may start Python without -P.
    """
    kept = {name: value for name, value in environment.items() if not name.upper().startswith("PYTHON")}
    return kept | {"PYTHONSAFEPATH": "1"}


def name_command(executable: Path = Path(sys.executable)) -> tuple[str, ...]:
    """What a client is to start, whatever its PATH and its folder are, without the words that follow.

    Clients start it in the folder of a project. A script has its own folder first in its search, not that one; where
    it does not stand beside the interpreter (a user's own site-packages keep it elsewhere), the isolated form does.
    """
    script = executable.with_name("nudj-mcp.exe" if executable.suffix == ".exe" else "nudj-mcp")
    return (str(script),) if script.is_file() else (str(executable), *_MODULE)
