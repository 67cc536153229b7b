"""The way in and out: who asks, may they, and how it travels."""

__version__ = "0.1.0"
