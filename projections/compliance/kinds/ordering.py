"""Rule kind ``ordering``."""
