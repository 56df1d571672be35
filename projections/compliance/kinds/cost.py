"""Rule kind ``cost``."""
