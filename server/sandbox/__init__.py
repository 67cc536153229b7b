"""A small but real tenant: two organisations on one loopback port, told apart by Host.

It knows nothing of the server beside it, which meets it as one more tenant API over HTTP.
"""
