"""How MCP travels: Streamable HTTP, legacy SSE and stdio, each handing the same facts to the same handlers."""
