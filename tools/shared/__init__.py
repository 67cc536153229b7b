"""What several domains of the catalogue share."""
