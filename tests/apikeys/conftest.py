"""Keys with different rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from apikeys import keys
from apikeys.models import add_key

if TYPE_CHECKING:
    import redis

    from apikeys.keys import Key


@pytest.fixture
def stores(clickhouse: None, valkey: redis.Redis, transactional_db: None) -> None:
    """All three, empty."""


@pytest.fixture
def moderator_key(stores: None) -> Key:
    """May change members of one feed."""
    key = keys.mint()
    add_key(key, scopes=["members"], feeds=["a-mpls"], note="moderators")
    return key


@pytest.fixture
def reader_key(stores: None) -> Key:
    """May read statistics."""
    key = keys.mint()
    add_key(key, scopes=["stats"], note="a dashboard")
    return key
