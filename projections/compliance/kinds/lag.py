"""Rule kind ``lag``."""
