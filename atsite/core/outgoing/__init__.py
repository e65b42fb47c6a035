"""Requests to untrusted addresses: bounded in time, size and redirects, and never into a private network."""

from __future__ import annotations

from atsite.core.outgoing.client import Client, Fetched, FetchFailed, ForbiddenAddress, Streamed, synchronous_client

__all__ = ["Client", "FetchFailed", "Fetched", "ForbiddenAddress", "Streamed", "synchronous_client"]
