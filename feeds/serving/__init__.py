"""Serving feeds: from a request to the bytes of a page, and who may read it."""
