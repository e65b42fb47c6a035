"""How much the feeds are read, and what readers report of their posts."""
