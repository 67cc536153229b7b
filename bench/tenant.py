"""The tenant's API as fast as C can be it: nginx that answers a list of 5 KB and one organisation, always the same."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.process import LOAD_CORE, Process, running

ORGANISATION = "5f" * 12
SIZE = 5_000

_CONFIG = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log warn;
worker_rlimit_nofile 65536;
events {{ worker_connections 32768; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
    open_file_cache max=20000; open_file_cache_valid 1h;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    default_type application/json;
    map $host $organisation {{ default {first}; "~^(?<named>[0-9a-f]{{24}})\\.localhost$" $named; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /api/v2/admin/communities {{ alias {folder}/communities-$organisation.json; }}
        location /api/v2/admin/organisations/ {{ return 200 '{{"id":"$organisation","name":"Bench"}}'; }}
    }}
}}
"""


def communities(organisation: str, size: int = SIZE) -> bytes:
    """A page of communities as the API gives it, of `size` bytes at most."""
    edges: list[dict[str, Any]] = []
    while len(body := _page(edges)) < size - 400:
        edges.append(_community(organisation, len(edges)))
    return body


def last_id(body: bytes) -> str:
    """The id of the last community of a page: whoever answers with it has read to the end."""
    last: str = json.loads(body)["edges"][-1]["id"]
    return last


@contextmanager
def tenant(folder: Path, organisations: Sequence[str], port: int) -> Iterator[Process]:
    """nginx while the block runs: `<id>.localhost` is that organisation's host, any other the first's."""
    for each in organisations:
        (folder / f"communities-{each}.json").write_bytes(communities(each))
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(port=port, folder=folder, first=organisations[0]), "utf-8")
    command = ["nginx", "-e", str(folder / "nginx-error.log"), "-p", str(folder), "-c", str(config)]
    with running("nginx", command, port, core=LOAD_CORE, log=folder / "nginx.log") as process:
        yield process


def _page(edges: list[dict[str, Any]]) -> bytes:
    return json.dumps({"totalCount": len(edges), "edges": edges}, separators=(",", ":")).encode()


def _community(organisation: str, number: int) -> dict[str, Any]:
    return {
        "id": f"{number:024x}",
        "organisationId": organisation,
        "name": f"Community {number}",
        "slug": f"community-{'abcdefghijklmnopqrstuvwxyz'[number % 26]}",
        "description": "A place for people who like the same things and meet each week to talk about them.",
        "communityType": "Community",
        "access": "open",
        "status": "live",
        "verified": True,
        "featured": number % 2 == 0,
        "requireMemberRole": False,
        "tags": [f"{number + 1000:024x}", f"{number + 2000:024x}"],
    }
