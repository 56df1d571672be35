"""Rule kind ``closed_list``."""
