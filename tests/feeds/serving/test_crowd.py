"""All members of a community open their private feed at once, over HTTP: none of them is taken for an attacker."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest

from atsite.core.atproto.keys import public_key_of
from atsite.core.atproto.syntax import Did
from atsite.core.clock import now_us
from atsite.core.config import config
from atsite.core.identity import resolver
from labels import bulk_changes, member_keys
from labels.models import BulkChange, Label
from tests import builders as b
from tests.core.identity.network import document
from tests.feeds import readers
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.readers import KEY, SERVICE, Site
from tests.feeds.service import SKELETON
from tests.feeds.worlds import HOUR
from tests.rows import store
from tests.steps import steps
from tests.tokens import token
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import redis
    from pytest_django.plugin import DjangoDbBlocker

MEMBERS = 500
#: As many as came at once when two thirds of them got 502.
UNKNOWN = 40
DIRECTORY_SECONDS = 0.2
FEED = f"at://{PUBLISHER}/app.bsky.feed.generator/a-mpls"
#: A crowd is served as fast as this machine can; nothing here is about how fast that is.
SECONDS = 120


@pytest.fixture
def site(
    clickhouse: None,
    valkey: redis.Redis,
    transactional_db: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    """A service whose private feed has a post, and whose directory takes its time; the worker asks the same one."""
    readers.define_feeds(django_db_blocker)
    with readers.running(tmp_path_factory.mktemp("feedgen")) as site:
        monkeypatch.setattr(resolver, "config", replace(config, plc_url=site.network.url))
        monkeypatch.setattr(resolver, "LOOKUPS_PER_SECOND", 1000.0)
        site.network.seconds = DIRECTORY_SECONDS
        until(lambda: site.service.skeleton(feed=FEED).status_code == 200)
        yield site


def people(site: Site, count: int) -> list[Did]:
    """Accounts that were never seen before."""
    dids = [Did(readers.new_did()) for _ in range(count)]
    for did in dids:
        site.network.answers[f"/{did}"] = document(did, "reader.test", public_key_of(KEY).multibase)
    return dids


def label_all(dids: Sequence[Did]) -> None:
    """Make them members in one bulk change, as an admin does."""
    change = bulk_changes.plan_for_dids(Label.objects.get(name="mpls"), dids, giving=True, by="test")
    for _ in steps():
        if change.state == BulkChange.State.DONE:
            break
        bulk_changes.advance(change, seconds=SECONDS)
        change.refresh_from_db()
        if change.state == BulkChange.State.READY:
            bulk_changes.confirm(change)


def answers(site: Site, dids: Sequence[Did]) -> list[tuple[int, int]]:
    """Status and number of posts of everyone's first page, all asked for at once."""

    async def ask_all() -> list[tuple[int, int]]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=site.service.http.base_url, timeout=SECONDS, limits=limits) as http:

            async def ask(did: Did) -> tuple[int, int]:
                headers = {"Authorization": "Bearer " + token(KEY, iss=did, aud=SERVICE)}
                response = await http.get(SKELETON, params={"feed": FEED}, headers=headers)
                return response.status_code, len(response.json().get("feed", []))

            return await asyncio.gather(*map(ask, dids))

    return asyncio.run(ask_all())


@pytest.mark.slow
def test_after_redis_was_emptied_all_members_at_once_are_known_and_the_directory_is_not_asked(
    site: Site, valkey: redis.Redis
) -> None:
    members = people(site, MEMBERS)
    label_all(members)
    store(b.post(members[0], at=now_us() - HOUR))
    assert member_keys.fetch(seconds=SECONDS) == MEMBERS
    valkey.flushdb()
    asked = len(site.network.asked)
    assert set(answers(site, members)) == {(200, 1)}
    assert len(site.network.asked) == asked


def test_unknown_readers_at_once_wait_for_the_directory(site: Site, valkey: redis.Redis) -> None:
    assert set(answers(site, people(site, UNKNOWN))) == {(200, 0)}
