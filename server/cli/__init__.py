"""The words a person types, one file each."""
