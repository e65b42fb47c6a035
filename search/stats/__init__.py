"""Numbers about the whole site: totals and days."""
