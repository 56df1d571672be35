"""Rule kind ``routing``."""
