"""Requests to addresses that strangers name: bounded in time, size and redirects, and never into a private network."""

from __future__ import annotations

from atsite.http.client import Client, Fetched, FetchFailed, ForbiddenAddress

__all__ = ["Client", "FetchFailed", "Fetched", "ForbiddenAddress"]
