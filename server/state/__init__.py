"""What replicas share: the port, Redis, and one process."""
