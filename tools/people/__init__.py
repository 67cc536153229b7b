"""Who takes part: users, communities, the team."""
