"""What communities do: challenges, rewards, posts and what belongs to them."""
