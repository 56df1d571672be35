"""Rule kind ``required_fields``."""
