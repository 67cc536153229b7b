"""Questions answered over many requests."""
