"""The other server: FastMCP's from_openapi and JWTVerifier, as its documentation shows them. Runs in its own venv.

Arguments: a JSON file with `port`, `document`, `base_url`, `public_key`, `issuer` and `audience`.
"""

import json
import sys
from pathlib import Path

import httpx2  # what FastMCP asks for
from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import JWTVerifier


def main() -> None:
    said = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    server = FastMCP.from_openapi(
        said["document"],
        client=httpx2.AsyncClient(base_url=said["base_url"]),
        name="peer",
        auth=JWTVerifier(
            public_key=said["public_key"], issuer=said["issuer"], audience=said["audience"], algorithm="RS256"
        ),
    )
    server.run(
        transport="http",
        host="127.0.0.1",
        port=said["port"],
        stateless_http=True,
        show_banner=False,
        log_level="WARNING",
        uvicorn_config={"loop": "uvloop", "http": "httptools", "access_log": False},
    )


if __name__ == "__main__":
    main()
