"""Ports: listening, bounds on what arrives, lifecycle and drain."""
