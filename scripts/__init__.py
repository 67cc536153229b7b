"""The project's own tools, not part of what is installed."""
