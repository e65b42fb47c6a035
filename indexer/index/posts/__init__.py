"""Posts by key: which may be shown, and what they count."""
