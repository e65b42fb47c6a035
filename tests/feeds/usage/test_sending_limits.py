"""How much one reader, and all together, may report in an hour, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.config import load
from atsite.core.errors import ConfigError
from atsite.core.kv import PREFIX
from tests.feeds import readers
from tests.feeds.service import FEED
from tests.feeds.serving.test_http import error
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx
    import redis
    from pytest_django.plugin import DjangoDbBlocker

    from tests.feeds.readers import Site

OF_ONE, OF_ALL = 500, 5_000


@pytest.fixture
def site(clickhouse: None, valkey: redis.Redis, tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    """A service with the smallest limits; nothing is counted yet."""
    readers.define_feeds(django_db_blocker)
    limits = {"INTERACTIONS_PER_HOUR": str(OF_ONE), "INTERACTIONS_TOTAL_PER_HOUR": str(OF_ALL)}
    with readers.running(tmp_path, **limits) as site:
        until(lambda: site.send({"feed": FEED, "interactions": []}).status_code == 200)
        valkey.delete(*valkey.keys(f"{PREFIX}rate:*"))
        yield site


def send(site: Site, reader: str, count: int) -> httpx.Response:
    return site.send({"interactions": [{"event": "e"}] * count}, iss=reader)


def test_one_reader_is_refused_beyond_their_part_and_the_others_are_not(site: Site, valkey: redis.Redis) -> None:
    busy, other = site.someone(), site.someone()
    assert [send(site, busy, count).status_code for count in (300, 201, 199, 0, 0)] == [200, 429, 200, 200, 429]
    refusals = [send(site, busy, 500) for _ in range(20)]
    assert {error(refusal) for refusal in refusals} == {(429, "RateLimitExceeded")}
    assert 0 < int(refusals[0].headers["Retry-After"]) <= 3600
    assert send(site, other, 500).status_code == 200
    # What is refused leaves nothing behind: neither a part of the total nor a mark of its token.
    assert valkey.get(f"{PREFIX}rate:interactions-total:all") == b"1000"
    assert len(valkey.keys(f"{PREFIX}jti:*")) == len([300, 199, 0, 500]) + 1  # and that of the fixture
    assert all(0 < valkey.pttl(key) <= 3_600_000 for key in valkey.keys(f"{PREFIX}rate:interactions*"))


def test_all_together_are_refused_beyond_the_total(site: Site) -> None:
    crowd = [site.someone() for _ in range(OF_ALL // OF_ONE)]
    assert {send(site, reader, OF_ONE).status_code for reader in crowd} == {200}
    answer = send(site, site.someone(), 1)
    assert error(answer) == (429, "RateLimitExceeded")
    assert "from all readers" in answer.json()["message"]


def test_a_total_that_a_few_readers_use_up_is_refused(tmp_path: Path) -> None:
    environment = {"DATA_DIR": str(tmp_path), "SECRET_KEY": "s" * 40, "INTERACTIONS_PER_HOUR": "60000"}
    with pytest.raises(ConfigError, match="INTERACTIONS_TOTAL_PER_HOUR='500000': expected a whole number from 600000"):
        load(environment)
    loaded = load({**environment, "INTERACTIONS_TOTAL_PER_HOUR": "600000"})
    assert (loaded.interactions_per_hour, loaded.interactions_total_per_hour) == (60_000, 600_000)
