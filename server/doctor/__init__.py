"""Why a connection does not work, found by walking the way a real call takes, from the client's file to the tenant."""
