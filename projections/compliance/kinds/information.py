"""Rule kind ``information``."""
