"""Processing: the pure core, and the shell that gives it a log, feeds and a store."""
