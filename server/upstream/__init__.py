"""The request to the tenant, and what its answer means."""
