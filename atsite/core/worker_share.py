"""The part of a limit that holds for a whole site and is kept by each worker of a service for itself."""

from __future__ import annotations

from atsite.core.config import config


def share_of(limit: int) -> int:
    """This worker's part of `limit`, at least 1: with more workers than that the site's limit is their number."""
    return max(1, limit // config.workers)
