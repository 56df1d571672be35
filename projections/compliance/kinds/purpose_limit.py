"""Rule kind ``purpose_limit``."""
