"""Rule kind ``grade_floor``."""
