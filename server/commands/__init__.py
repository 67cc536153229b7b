"""The words of `nudj-mcp` that help a person: each module adds one subcommand and runs it."""
