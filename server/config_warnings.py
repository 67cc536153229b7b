"""What an operator should know about a configuration that works but is weaker than it could be."""

import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from server.settings import Settings, name_variable

_TRUSTED = ("tenants_file", "auth_keys_file", "auth_hmac_file", "roles_file", "confirm_key_file")
_SECRET = frozenset({"auth_hmac_file", "confirm_key_file"})


def list_warnings(settings: Settings) -> list[str]:
    """One line for each weakness; they are logged at start."""
    return [*_judge_verification(settings), *_judge_files(settings)]


def _judge_verification(settings: Settings) -> Iterator[str]:
    if settings.auth_verify == "upstream":
        if settings.tenants_file is not None or settings.tenants_url is not None:
            yield (
                f"{name_variable('auth_verify')} is upstream: whoever sends anything that looks like a token has its "
                "tenant asked about it; this way is meant for one person's own use"
            )
        return
    if settings.auth_issuer is None:
        yield f"{name_variable('auth_issuer')} is not set: tokens of any issuer with these keys are accepted"
    if settings.auth_audience is None:
        yield f"{name_variable('auth_audience')} is not set: tokens for any audience are accepted"
    if settings.revocations_url is None and settings.redis_url is None:
        yield "no source of revocations is set: a revoked token works here until its tenant refuses it"


def _judge_files(settings: Settings) -> Iterator[str]:
    if sys.platform == "win32":
        return
    for name in _TRUSTED:
        path: Path | None = getattr(settings, name)
        mode = 0 if path is None else path.stat().st_mode
        if mode & stat.S_IWOTH:
            yield f"{name_variable(name)}: everybody on this machine can write the file, and so decide whom to trust"
        elif mode & stat.S_IROTH and name in _SECRET:
            yield f"{name_variable(name)}: everybody on this machine can read the secret"
