"""Ways to tell what happened, none in the way of a call."""
