"""A label, and members, in stores that are empty otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from labels.models import Label

if TYPE_CHECKING:
    import redis


@pytest.fixture
def label(clickhouse: None, valkey: redis.Redis, transactional_db: None) -> str:
    """The name of a label that nobody carries."""
    Label.objects.all().delete()  # those that migrations make are there until the first flush
    Label.objects.create(name="mpls", meaning="people of Minneapolis")
    return "mpls"
