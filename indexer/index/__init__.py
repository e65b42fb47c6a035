"""The index, for all layers above: its tables, queries, floors and statistics."""
