"""Exports for process mining: the spool that puts records in order, the files that are written, and the work itself."""
