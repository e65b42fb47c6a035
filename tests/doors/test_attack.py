"""Forty connections attack the feed generator for a minute, beside twenty readers who must not notice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.syntax import Did
from atsite.core.clock import now_us
from labels import membership
from tests import builders as b
from tests.doors.attack.attackers import KINDS, Target
from tests.doors.attack.siege import siege
from tests.feeds import readers
from tests.feeds.readers import KEY, SERVICE
from tests.feeds.service import FEED
from tests.feeds.serving.test_http import publish
from tests.feeds.worlds import MINUTE
from tests.rows import store
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis
    from pytest_django.plugin import DjangoDbBlocker

    from tests.feeds.readers import Site

SECONDS = 60
PRIVATE = FEED.replace("whats-hot", "a-mpls")
MEMBERS, POSTS = 20, 100

pytestmark = pytest.mark.slow


@pytest.fixture
def site(
    clickhouse: None,
    valkey: redis.Redis,
    transactional_db: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path: Path,
) -> Iterator[Site]:
    """A service with a hot and a private feed, whose members were seen before."""
    readers.define_feeds(django_db_blocker)
    with readers.running(tmp_path) as site:
        members = [site.someone() for _ in range(MEMBERS)]
        for member in members:
            membership.assign("mpls", Did(member), by="test")
        yield site


def test_readers_get_their_pages_during_an_attack(site: Site) -> None:
    """None of them gets an error, every walk has each post once, and no attacker causes an error of the service."""
    hot = publish(POSTS)
    now = now_us()
    private = [b.post(Did(site.dids[number % MEMBERS]), at=now - (number + 1) * MINUTE) for number in range(POSTS)]
    store(*private)
    until(lambda: site.service.skeleton(feed=FEED, limit=1).status_code == 200)
    port = site.service.http.base_url.port or 0
    target = Target(port, SERVICE, FEED, PRIVATE, KEY, site.dids)
    outcome = asyncio.run(siege(target, site.dids, seconds=SECONDS))
    normal, attackers = outcome.readers, outcome.attackers
    assert set(normal.hot.statuses) == set(normal.private.statuses) == {200}, attackers
    assert sorted(normal.finished) == list(range(20))
    assert all(walk == hot for walk in normal.hot.walks)
    assert all(walk == [post.uri for post in private] for walk in normal.private.walks)
    assert set(attackers) == set(KINDS)
    answered = {kind: set(statuses) for kind, statuses in attackers.items()}
    answered["interactions"] -= {503}  # now and then: so many senders fill what may wait for ClickHouse
    assert answered == {
        "forged cursors": {200},
        "junk tokens": {401, 429},
        "tarpits": {502},
        "slow requests": {0, 408},
        "interactions": {200, 429},
        "parameters": {400},
    }
