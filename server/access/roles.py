"""The role matrix: which role covers which permission. Data from one file, so that an operator can replace it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from server.identity.principal import Role
from tools.spec import Permission, Subject, Verb

BUILT_IN = Path(__file__).with_name("roles.toml")

_LETTERS = {"R": Verb.READ, "C": Verb.CREATE, "U": Verb.UPDATE, "D": Verb.DELETE}


class MatrixError(ValueError):
    """The role file cannot be used; the message lists every mistake in it."""


@dataclass(frozen=True, slots=True)
class RoleMatrix:
    """What each role may do, weakest role first."""

    held: Mapping[Role, frozenset[Permission]]

    def covers(self, role: Role, permission: Permission) -> bool:
        """Whether the role may do this."""
        return permission in self.held[role]

    def lowest(self, permissions: tuple[Permission, ...]) -> Role | None:
        """The weakest role that may do all of these; None when no role may."""
        return next((role for role in Role if self.held[role].issuperset(permissions)), None)


def load_roles(path: Path = BUILT_IN) -> RoleMatrix:
    """Read a role file.

    Raises:
        MatrixError: it is not TOML, or a subject, role or letter in it does not exist, or a subject is missing.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise MatrixError(f"{path}: {fault}") from fault
    mistakes = list(_find_mistakes(table))
    if mistakes:
        raise MatrixError(f"{path}: " + "; ".join(mistakes))
    held: dict[Role, set[Permission]] = {role: set() for role in Role}
    for subject, row in table.items():
        for role, letters in row.items():
            held[Role(role)].update(Permission(_LETTERS[letter], Subject(subject)) for letter in letters)
    return RoleMatrix({role: frozenset(permissions) for role, permissions in held.items()})


def _find_mistakes(table: Mapping[str, object]) -> list[str]:
    known = {subject.value for subject in Subject}
    found = [f"{name} is not a subject" for name in table.keys() - known]
    found += [f"{name} has no row" for name in known - table.keys()]
    for subject, row in table.items():
        found += _find_row_mistakes(subject, row)
    return sorted(found)


def _find_row_mistakes(subject: str, row: object) -> list[str]:
    if not isinstance(row, dict):
        return [f"{subject} is not a table of roles"]
    found = [f"{subject}: {role} is not a role" for role in row if role not in set(Role)]
    for role, letters in row.items():
        if not isinstance(letters, str) or set(letters) - _LETTERS.keys():
            found.append(f"{subject}.{role}: only the letters R, C, U, D are known")
    return found
