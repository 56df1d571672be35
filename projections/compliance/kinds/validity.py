"""Rule kind ``validity``."""
