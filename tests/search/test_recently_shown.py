"""Authors that searches showed: a bounded set that ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.kv import quick
from search.posts import recently_shown

if TYPE_CHECKING:
    import pytest
    import redis


def test_only_the_latest_authors_are_remembered_and_not_for_ever(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recently_shown, "REMEMBERED", 3)
    for number in range(5):
        recently_shown.remember([f"did:plc:{number}"])  # type: ignore[list-item]
    assert recently_shown.shown_authors() == ["did:plc:4", "did:plc:3", "did:plc:2"]
    assert 0 < valkey.ttl(recently_shown.KEY) <= 24 * 3600


def test_a_search_that_shows_nobody_asks_redis_nothing(valkey: redis.Redis) -> None:
    recently_shown.remember([])
    assert quick.ask(lambda client: client.exists(recently_shown.KEY)) == 0  # Redis does not count as away
