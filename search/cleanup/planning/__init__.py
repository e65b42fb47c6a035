"""Plans: which records of a repo go, which are kept, and why (docs/cleanup.md). No module here does I/O."""
