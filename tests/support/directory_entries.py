"""Two tenants as an operator writes them down, for the tests of the directory."""

from typing import Any

from tests.support.token_issuer import ACME, GLOBEX

SUFFIX = "/api/v2/admin"
AT_ACME = f"https://acme.nudj.cx{SUFFIX}"
AT_GLOBEX = f"https://globex.nudj.cx{SUFFIX}"
CUSTOM = f"https://rewards.acme.example{SUFFIX}"
LOCAL = f"http://acme.localhost:4011{SUFFIX}"
FEED = "https://directory.example/tenants.json"

ENTRIES: dict[str, Any] = {
    "acme": {"organisation": ACME.upper(), "api_domain": AT_ACME, "also": [CUSTOM, LOCAL]},
    "globex": {"organisation": GLOBEX, "api_domain": AT_GLOBEX, "connect_to": "127.0.0.1:4011"},
}
TOML = f"""
[tenants.acme]
organisation = "{ACME}"
api_domain = "{AT_ACME}"
"""
