"""One call from arguments to answer, each room entered once."""
