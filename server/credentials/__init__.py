"""The values a client presents, and how they are kept from being printed."""
