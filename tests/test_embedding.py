"""The server inside somebody else's program, exactly as docs/embedding.md says."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

import server
from tests.support.shared_stack import World, write_directory

PAGE = (Path(__file__).parents[1] / "docs" / "embedding.md").read_text("utf-8")


def test_what_is_exported_is_what_the_page_names() -> None:
    promised = PAGE.partition("What is exported")[2].partition("\n## ")[0]
    assert sorted(set(re.findall(r"`(\w+)`", promised)) - {"server"}) == sorted(server.__all__)
    assert [name for name in server.__all__ if getattr(server, name) is None] == []
    with pytest.raises(AttributeError):
        _ = server.nothing


def test_the_names_cost_nothing_until_they_are_asked_for() -> None:
    asked = (
        "import sys, server; print(*(name for name in sys.modules if name.startswith(('server.', 'pydantic', 'mcp'))))"
    )
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


async def test_it_answers_under_the_prefix_of_a_foreign_application(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with httpx2.AsyncClient() as http:
        keys = await http.get(world.local.settings.auth_jwks_url or "")
    (tmp_path / "keys.json").write_text(keys.text)
    (tmp_path / "tenants.toml").write_text(write_directory(world, {}))
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code is not None
    named: dict[str, Any] = {}
    exec(code[1], named)
    host = named["host"]
    said = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "check_connection", "arguments": {}}}
    headers = {"accept": "application/json, text/event-stream", "host": "apps.example.com"} | world.headers("viewer")
    transport = httpx2.ASGITransport(host)
    async with httpx2.AsyncClient(transport=transport, base_url="https://apps.example.com") as http:
        with pytest.raises(RuntimeError, match=r"embedding\.md"):
            await http.post("/nudj/mcp", json=said, headers=headers)
        async with host.router.lifespan_context(host):
            answer = await http.post("/nudj/mcp", json=said, headers=headers)
            assert '"ok":true' in answer.text
            assert (await http.get("/nudj/healthz", headers=headers)).status_code == 200
            page = await http.get("/nudj/", headers=headers | {"accept": "text/html"})
            assert "https://apps.example.com/nudj/mcp" in page.text
