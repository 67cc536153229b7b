"""Records what real MCP clients send, so that tests and bench can replay it: `python -m scripts.roads` (see there)."""
