"""A real conversation, held by a real MCP client with both servers of this package, and judged line by line."""
