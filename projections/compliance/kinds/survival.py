"""Rule kind ``survival``."""
