"""What the Admin API offers, and the document that describes it."""
