"""The tenant's authorization server: OAuth 2.1 for clients that sign a person in instead of being given a token."""
