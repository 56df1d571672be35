"""Rule kind ``coverage``."""
