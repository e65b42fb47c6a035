"""Which feeds a site has, and what is said about wrong definitions before a service starts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from atsite.core.atproto.aturi import AtUri
from atsite.core.atproto.syntax import Did, Nsid, Rkey
from atsite.core.config import load
from feeds import checks
from feeds.ranking.feed import Definition, UnknownFeed
from feeds.ranking.page_data import FeedData
from feeds.serving.registry import Registry, ranked_feeds
from tests.feeds.kind_cases import PUBLISHER

HOT = Definition(PUBLISHER, Rkey("whats-hot"), "hot", "What's Hot", "", {"min_likes": 2})
FEEDGEN = {
    "ATSITE_ENVIRONMENT": "test",
    "ATSITE_SERVICE": "feedgen",
    "SECRET_KEY": "s" * 40,
    "SERVICE_ENDPOINT": "https://feeds.example.com",
    "FEED_ACTOR_DID": PUBLISHER,
}


def test_a_feed_is_found_by_publisher_collection_and_name() -> None:
    registry = Registry.of([HOT], FeedData())
    assert registry.find(HOT.uri).definition == HOT
    foreign = [
        AtUri(Did("did:plc:other"), HOT.uri.collection, HOT.rkey),
        AtUri(PUBLISHER, Nsid("app.bsky.feed.post"), HOT.rkey),
        AtUri(PUBLISHER, HOT.uri.collection, Rkey("whats-not")),
    ]
    for uri in foreign:
        with pytest.raises(UnknownFeed):
            registry.find(uri)


def test_two_publishers_may_use_the_same_name() -> None:
    other = replace(HOT, publisher=Did("did:plc:other"))
    assert [feed.definition for feed in Registry.of([HOT, other], FeedData())] == [HOT, other]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (replace(HOT, display_name="Other"), "two feeds of this name"),
        (replace(HOT, rkey=Rkey("what is hot")), "not a valid record key"),
        (replace(HOT, rkey=Rkey("..")), "not a valid record key"),
        (replace(HOT, publisher=Did("alice.example.com")), "not a did"),
        (
            replace(HOT, rkey=Rkey("x"), kind="lukewarm"),
            "unknown kind 'lukewarm': expected one of hot, label, search, static, top",
        ),
        (replace(HOT, rkey=Rkey("x"), parameters={"min_likes": 0}), "min_likes must be"),
        (replace(HOT, rkey=Rkey("x"), private=True), "needs a label"),
    ],
)
def test_a_definition_that_cannot_be_served_is_left_out_and_reported(wrong: Definition, message: str) -> None:
    registry = Registry.of([HOT, wrong], FeedData())
    assert [feed.definition for feed in registry] == [HOT]
    (problem,) = registry.problems
    assert problem.rkey == wrong.rkey
    assert message in problem.reason
    (warning,) = checks.definition_problems([HOT, wrong])
    assert (warning.id, warning.msg) == ("feeds.W003", str(problem))
    assert checks.definition_problems([HOT]) == []


def test_ranked_feeds_are_those_that_are_refreshed() -> None:
    registry = Registry.of([HOT], FeedData())
    assert ranked_feeds(registry) == list(registry)


@pytest.mark.parametrize(
    ("missing", "ids"),
    [
        ({}, []),
        ({"FEED_ACTOR_DID": ""}, ["feeds.E001"]),
        ({"FEED_ACTOR_DID": "alice.example.com"}, []),  # the checks of the site say what is wrong with it
        ({"SERVICE_ENDPOINT": ""}, ["feeds.E002"]),
        ({"SERVICE_DID": "feeds.example.com"}, ["feeds.E002"]),
        ({"FEED_ACTOR_DID": "", "SERVICE_ENDPOINT": "", "ATSITE_SERVICE": "search"}, []),
    ],
)
def test_a_feed_generator_without_publisher_or_address_is_reported(missing: dict[str, str], ids: list[str]) -> None:
    assert [problem.id for problem in checks.configuration_problems(load(FEEDGEN | missing))] == ids
