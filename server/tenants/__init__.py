"""An api domain in, a Tenant out: exact look-up in the operator's directory, never URL surgery."""
