"""The catalogue: everything an agent can do, in reading order."""

from tools import communities, connection
from tools.spec import Tool

CATALOGUE: tuple[Tool, ...] = (
    *connection.TOOLS,
    *communities.TOOLS,
)
