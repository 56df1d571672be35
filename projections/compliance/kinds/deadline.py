"""Rule kind ``deadline``."""
