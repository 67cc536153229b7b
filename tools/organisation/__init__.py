"""The organisation itself: its settings, domains, theme and tokens."""
