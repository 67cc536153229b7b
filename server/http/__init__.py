"""The one way out, and documents that are read again and again."""
