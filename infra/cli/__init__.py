"""The ``rogatory`` command."""
