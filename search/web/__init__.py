"""The HTTP of the search service."""
