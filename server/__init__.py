"""The way in and out: who asks, may they, and how it travels."""

__version__ = "0.2.0"
