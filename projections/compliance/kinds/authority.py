"""Rule kind ``authority``."""
