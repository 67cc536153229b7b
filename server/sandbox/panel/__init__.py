"""The admin panel: what a person sees of the tenant in a browser; no build step, nothing from elsewhere."""
