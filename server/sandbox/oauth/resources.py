"""The resources that tokens are made for: the MCP server's OAuth door, plain and with an organisation in its path."""

import re
from urllib.parse import urlsplit

_SUBDOMAIN = re.compile(r"/o/t/([a-z0-9-]{1,63})/mcp")


class Resources:
    """Knows the door by its public URL, once there is one; until then there is nothing to make a token for."""

    def __init__(self) -> None:
        self.base: str | None = None

    def is_known(self, resource: str) -> bool:
        """Whether a token may be made for this URL, compared character by character."""
        return self.base is not None and (resource == f"{self.base}/o/mcp" or self.read_subdomain(resource) is not None)

    def read_subdomain(self, resource: str) -> str | None:
        """The organisation's word in a resource of ours, whether or not there is such an organisation."""
        if self.base is None or not resource.startswith(f"{self.base}/"):
            return None
        found = _SUBDOMAIN.fullmatch(resource[len(self.base) :])
        return None if found is None else found[1]

    def read_host(self) -> str:
        """Where the door is, for a person to read."""
        return urlsplit(self.base or "").netloc
