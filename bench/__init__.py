"""How fast the server is, beside what else there is: measured, never estimated."""
