from __future__ import annotations

from datetime import UTC, datetime

import pytest

from atsite.core.atproto.aturi import AtUri
from atsite.core.outgoing import Client
from atsite.core.pds import Pds
from feeds.publishing.generator_record import generator_record, publish, published_service, unpublish
from feeds.ranking.feed import FeedDescription
from tests.core.pds.test_client import ALICE, GENERATOR, SESSION, talking

SERVICE = "did:web:feeds.example"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
FEED = FeedDescription(AtUri.parse(f"at://{ALICE}/{GENERATOR}/hot"), "What's Hot", "The best of today.")


def test_a_new_record_says_what_the_lexicon_asks_for() -> None:
    assert generator_record(FEED, service_did=SERVICE, created_at=NOW, previous=None) == {
        "$type": "app.bsky.feed.generator",
        "did": SERVICE,
        "displayName": "What's Hot",
        "description": "The best of today.",
        "acceptsInteractions": True,
        "createdAt": "2026-11-25T12:00:00Z",
    }


def test_what_others_set_and_the_date_stay_when_it_is_published_again() -> None:
    kept = {"avatar": {"ref": 1}, "labels": {"values": []}, "contentMode": "app.bsky.feed.defs#contentModeVideo"}
    previous = {"createdAt": "2025-01-01T00:00:00Z", "did": "did:web:old.example", "extra": 1, **kept}
    record = generator_record(FEED, service_did=SERVICE, created_at=NOW, previous=previous)
    assert record == {
        "$type": "app.bsky.feed.generator",
        "did": SERVICE,
        "displayName": "What's Hot",
        "description": "The best of today.",
        "acceptsInteractions": True,
        "createdAt": "2025-01-01T00:00:00Z",
        **kept,
    }


def test_texts_that_are_too_long_are_cut_between_characters() -> None:
    feed = FeedDescription(FEED.uri, "é" * 130, "漢" * 1001)
    record = generator_record(feed, service_did=SERVICE, created_at=NOW, previous=None)
    assert (record["displayName"], record["description"]) == ("é" * 120, "漢" * 1000)


async def test_a_feed_is_published_twice_and_unpublished_twice() -> None:
    async with talking() as (server, pds):
        uri = await publish(pds, SESSION, FEED, service_did=SERVICE, now=NOW)
        await publish(pds, SESSION, FEED, service_did="did:web:new.example", now=NOW.replace(year=2027))
        assert uri == f"at://{ALICE}/{GENERATOR}/hot"
        assert server.records["hot"]["createdAt"] == "2026-11-25T12:00:00Z"
        assert await published_service(pds, SESSION.did, FEED.uri.rkey) == "did:web:new.example"
        assert [await unpublish(pds, SESSION, FEED.uri.rkey) for _ in range(2)] == [True, False]
        assert await published_service(pds, SESSION.did, FEED.uri.rkey) is None


async def test_a_pds_that_is_away_is_no_missing_record() -> None:
    async with Client(loopback=True) as client:
        with pytest.raises(Exception, match="Unreachable"):
            await published_service(Pds(client, "http://localhost:1"), SESSION.did, FEED.uri.rkey)
