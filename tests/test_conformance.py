"""The official conformance suite against the product's own core, for both revisions of the protocol that it serves."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.client_processes import CONFORMANCE, NODE, needs_node
from tests.support.hosted_server import ROOT, stopped, until
from tests.support.measurements import Figure

HERE = Path(__file__).parent / "conformance"


@contextmanager
def _profile(kind: str, folder: Path) -> Iterator[str]:
    port = folder / "port"
    words = [sys.executable, "-m", "tests.conformance.profile", kind, str(port)]
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        until(port.exists, process)
        yield f"http://127.0.0.1:{port.read_text()}/mcp"
    finally:
        stopped(process)


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The product with the suite's fixtures on it."""
    needs_node()
    with _profile("fixtures", tmp_path_factory.mktemp("fixtures")) as url:
        yield url


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The product as it is, short way included."""
    needs_node()
    with _profile("shipped", tmp_path_factory.mktemp("shipped")) as url:
        yield url


def _suite(url: str, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [str(NODE), str(CONFORMANCE), "server", "--url", url, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize(
    ("revision", "scenarios"),
    [
        ("2025-11-25", ("--requirements", "2025-11-25")),
        ("2026-07-28", ("--suite", "all", "--spec-version", "2026-07-28")),
    ],
)
def test_the_suite_passes_but_for_the_baseline(
    fixtures: str, revision: str, scenarios: tuple[str, ...], figure: Figure
) -> None:
    done = _suite(fixtures, *scenarios, "--expected-failures", str(HERE / f"baseline-{revision}.yml"))
    figure(f"Conformance, {revision}:\n{done.stdout[done.stdout.rfind('=== SUMMARY') :]}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Total:" in done.stdout


@pytest.mark.parametrize(
    ("revision", "scenario"),
    [
        ("2025-11-25", "server-initialize"),
        ("2025-11-25", "ping"),
        ("2025-11-25", "tools-list"),
        ("2025-11-25", "prompts-list"),
        ("2025-11-25", "resources-list"),
        ("2025-11-25", "dns-rebinding-protection"),
        ("2026-07-28", "tools-list"),
        ("2026-07-28", "prompts-list"),
        ("2026-07-28", "resources-list"),
        ("2026-07-28", "sep-2164-resource-not-found"),
        ("2026-07-28", "dns-rebinding-protection"),
        ("2026-07-28", "http-header-validation"),
    ],
)
def test_what_ships_passes_every_scenario_that_needs_no_fixture(shipped: str, revision: str, scenario: str) -> None:
    done = _suite(shipped, "--scenario", scenario, "--spec-version", revision)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 failed" in done.stdout
