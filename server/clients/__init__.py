"""A person's own machine: client files and the keychain."""
