"""Requests nobody thought of: generated from the document, good and bad, against the tenant that serves it."""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.hosted_server import sandbox
from tests.support.measurements import Figure

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)


class Api:
    """Acme's, as its admin."""

    def __init__(self, domain: str, token: str) -> None:
        address = urlsplit(domain)
        self.url = f"http://127.0.0.1:{address.port}{address.path}"
        self.headers = {"host": address.netloc, "authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        """An answer, or None."""
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=self.headers)) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            return None

    def known(self, path: str) -> str | None:
        """The id of an entity that exists, for a path that wants one; so that not every answer is 404."""
        found = self.get(f"/{path.split('/')[1]}?limit=1")
        edges = found.get("edges") if isinstance(found, dict) else None
        return str(edges[0]["id"]) if edges else None


def known_ids(api: Api, paths: list[str]) -> str:
    """As schemathesis is told of them."""
    ids = {path: api.known(path) for path in paths if "{id}" in path}
    return "\n".join(
        f'[[operations]]\ninclude-path = "{path}"\nparameters = {{ "path.id" = "{known}" }}'
        for path, known in ids.items()
        if known
    )


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """In a process of its own: what is generated here erases what other tests look at."""
    with sandbox() as said:
        acme = said["organisations"]["acme"]
        yield Api(acme["api_domain"], acme["tokens"]["admin"])


@pytest.mark.parametrize("ids", ["known", "generated"])
def test_no_generated_request_gets_an_answer_the_document_does_not_describe(
    api: Api, ids: str, tmp_path: Path, figure: Figure
) -> None:
    paths = list(api.get("/openapi.json")["paths"])
    config = tmp_path / "schemathesis.toml"
    said = "".join(f'{name} = "{value}"\n' for name, value in api.headers.items())
    known = known_ids(api, paths) if ids == "known" else ""
    config.write_text(f"[headers]\n{said}{known}")  # not in arguments, where everybody could read the token
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        "--config-file",
        str(config),
        "run",
        f"{api.url}/openapi.json",
    ]
    command += [
        "--no-color",
        "--seed=1",
        "--max-examples=6",
        "--suppress-health-check=all",
        "--warnings=missing_auth",
    ]
    command += ["--phases=examples,coverage,fuzzing", f"--checks={','.join(CHECKS)}", "--continue-on-failure"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    summary = ran.stdout[ran.stdout.rfind("= SUMMARY =") :]
    figure(f"schemathesis, {ids} ids: {summary}")
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    assert "Tested: 88" in summary
    unheard = re.search(r"Authentication failed: (\d+) operations", ran.stdout)
    assert unheard is None or int(unheard[1]) < 20, "the token does not reach the tenant, so nothing is tried"
