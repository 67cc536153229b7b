"""One handler for each MCP method; schemas, prompts and resources."""
