"""Each check of a call is needed: taken out of a copy of the server, a test there fails."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEMO = ("-m", "server", "demo", "--once")
PYTEST = ("-m", "pytest", "-n0", "-q", "-x", "-p", "no:cacheprovider")
SECOND = "tests/test_second_lines.py"
CONVERSATION = "tests/test_same_everywhere.py"


@dataclass(frozen=True)
class Check:
    """A check, how it is taken out, and what must notice."""

    name: str
    file: str
    there: str
    gone: str
    noticed_by: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


CHECKS = (
    Check(
        "format",
        "server/identity/token_format.py",
        'if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != segment:',
        "if False:",
        (*PYTEST, "tests/test_token_format.py"),
    ),
    Check("signature", "server/identity/verifier.py", "if not key.verifies(token):", "if False:", DEMO),
    Check("expiry", "server/identity/claims.py", "if claims.exp <= now:", "if False:", DEMO),
    Check("revocation", "server/identity/verifier.py", "if await self._revocations.check(who):", "if False:", DEMO),
    Check(
        "look-up of the tenant",
        "server/tenants/directory.py",
        "self._table.by_domain.get(domain)",
        "next(iter(self._table.by_domain.values()))",
        DEMO,
    ),
    Check(
        "organisation, on the way in",
        "server/pipeline/authentication.py",
        "if principal.organisation != tenant.organisation:",
        "if False:",
        (*PYTEST, SECOND, "-k", "another_organisation"),
    ),
    Check(
        "organisation, on the way out",
        "server/upstream/tenant_api.py",
        "if principal.organisation != tenant.organisation or credentials.token.digest != principal.digest:",
        "if False:",
        (*PYTEST, "tests/test_upstream.py", "-k", "pair_that_does_not_belong"),
    ),
    Check("role", "server/pipeline/dispatcher.py", "if decision.denied is not None:", "if False:", DEMO),
    Check(
        "mode",
        "server/access/policy.py",
        'if mode == "planner" and tool.effect is not Effect.READ:',
        "if False:",
        (*PYTEST, CONVERSATION, "-k", "planner"),
    ),
    Check(
        "arguments",
        "server/pipeline/dispatcher.py",
        "validation.validate(tool, raw)",
        "tool.takes.model_construct(**raw)",
        (*PYTEST, "tests/test_bad_input.py", "-k", "wrong_arguments"),
    ),
    Check(
        "sizes of the arguments",
        "server/pipeline/validation.py",
        "    _check_sizes(tool, arguments)\n",
        "",
        (*PYTEST, "tests/test_argument_sizes.py"),
    ),
    Check(
        "community, of the arguments",
        "server/pipeline/dispatcher.py",
        "            check_communities(decision, tool, given)\n",
        "",
        (*PYTEST, "tests/test_order_of_judgement.py"),
    ),
    Check(
        "community, of everything else",
        "server/pipeline/dispatcher.py",
        "return api if decision.communities is None else CommunityFilter(api, decision.communities)",
        "return api",
        (*PYTEST, SECOND, "-k", "bound_caller"),
    ),
    Check(
        "masking",
        "server/observability/logs.py",
        'return _TOKEN.sub("***", text)',
        "return text",
        (*PYTEST, "tests/test_leaks.py"),
    ),
)


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_a_check_taken_out_is_noticed(check: Check, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for name in ("server", "tools", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    room = copy / check.file
    text = room.read_text("utf-8")
    assert text.count(check.there) == 1, "the check is written otherwise now; say here how to take it out"
    room.write_text(text.replace(check.there, check.gone), "utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUDJ_TENANCY_CALLS": "1000",
    }
    ran = subprocess.run(
        [sys.executable, *check.noticed_by], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1, ran.stdout[-2000:] + ran.stderr[-2000:]
