"""Credentials in, Principal out: format, keys, claims, revocations, cache."""
