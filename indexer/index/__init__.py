"""What the index holds, for everything above: its tables, queries, floors and statistics."""
