"""Feeds as rows: what people may define, when a change is live, and what a broken one does to the others."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import DatabaseError

from atsite.core.config import load
from feeds import definitions
from feeds.models import FeedDefinition, PinnedPost
from feeds.ranking.feed import Definition, Feed, FeedUnavailable, PostKey, UnknownFeed
from feeds.serving import registry
from labels import membership
from labels.models import Label
from tests import builders as b
from tests.feeds.kind_cases import PUBLISHER
from tests.waiting import until

if TYPE_CHECKING:
    import redis

SITE = load({"ATSITE_ENVIRONMENT": "test", "FEED_ACTOR_DID": PUBLISHER, "FEED_MIN_LIKES": "7"})
POST = f"at://{b.ALICE}/app.bsky.feed.post/3kabcdefghij2"


@pytest.fixture(autouse=True)
def _site(transactional_db: None, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first feeds, in a process that holds no copy of them yet."""
    monkeypatch.setattr(registry, "config", SITE)
    monkeypatch.setattr("feeds.validation.config", SITE)
    import_module("feeds.migrations.0104_first_feeds").add(apps, None)
    registry._copy.drop()


def names() -> list[str]:
    return [feed.definition.rkey for feed in registry.registry()]


def served(rkey: str) -> Feed:
    return registry.feed_named(rkey)


def test_a_site_begins_with_the_feeds_of_its_publisher() -> None:
    by_name = {str(feed.definition.rkey): feed.definition for feed in registry.registry()}
    assert sorted(by_name) == ["a-mpls", "at-bangers", "bangers", "cl-tqsp", "top-1h", "top-24h", "whats-hot"]
    assert registry.registry().problems == ()
    assert str(by_name["whats-hot"].uri) == f"at://{PUBLISHER}/app.bsky.feed.generator/whats-hot"
    assert by_name["whats-hot"].parameters == {"min_likes": 7}  # the site's own
    assert [name for name, definition in by_name.items() if definition.private] == ["a-mpls"]
    assert (by_name["a-mpls"].label, by_name["cl-tqsp"].label) == ("mpls", "tqsp")
    assert set(Label.objects.values_list("name", flat=True)) >= {"mpls", "tqsp"}


def test_on_a_new_site_the_feeds_of_communities_wait_for_their_first_member() -> None:
    wait = import_module("feeds.migrations.0107_community_feeds_wait").wait
    FeedDefinition.history.all().delete()  # a migration writes none
    wait(apps, None)
    registry._copy.drop()
    assert sorted(names()) == ["at-bangers", "bangers", "top-1h", "top-24h", "whats-hot"]
    membership.assign("mpls", b.ALICE, by="admin")
    until(lambda: "a-mpls" in names())
    assert "cl-tqsp" not in names()
    membership.remove("mpls", b.ALICE, by="admin")
    FeedDefinition.objects.filter(rkey="a-mpls").update(enabled=False)
    membership.assign("mpls", b.ALICE, by="admin")
    assert not FeedDefinition.objects.get(rkey="a-mpls").enabled  # it waited only once
    FeedDefinition.objects.get(rkey="cl-tqsp").delete()
    Label.objects.get(name="tqsp").delete()


def test_no_feed_of_an_older_site_begins_to_wait() -> None:
    wait = import_module("feeds.migrations.0107_community_feeds_wait").wait
    FeedDefinition.history.all().delete()
    FeedDefinition.objects.filter(rkey="cl-tqsp").update(description="edited")
    membership.assign("mpls", b.ALICE, by="admin")
    wait(apps, None)
    User.objects.create_user("admin")
    membership.remove("mpls", b.ALICE, by="admin")
    wait(apps, None)
    assert not FeedDefinition.objects.filter(enabled=False).exists()


def test_a_feed_told_to_wait_for_members_it_has_is_switched_on() -> None:
    membership.assign("mpls", b.ALICE, by="admin")
    FeedDefinition.objects.filter(rkey="a-mpls").update(enabled=False, waits_for_members=True)
    FeedDefinition.objects.filter(rkey="cl-tqsp").update(enabled=False, waits_for_members=True)
    assert list(FeedDefinition.objects.filter(enabled=False).values_list("rkey", flat=True)) == ["cl-tqsp"]


def test_without_a_publisher_there_are_none_but_those_that_name_theirs() -> None:
    nobody = load({"ATSITE_ENVIRONMENT": "test"})
    assert definitions.enabled(nobody) == []
    FeedDefinition.objects.filter(rkey="top-1h").update(publisher="did:plc:other")
    assert [str(found.uri) for found in definitions.enabled(nobody)] == [
        "at://did:plc:other/app.bsky.feed.generator/top-1h"
    ]


def test_a_change_reaches_a_process_that_holds_a_copy() -> None:
    assert "top-1h" in names()
    FeedDefinition.objects.filter(rkey="top-1h").update(enabled=False)
    until(lambda: "top-1h" not in names())
    FeedDefinition.objects.create(rkey="mine", kind="hot", parameters={"min_likes": 3}, display_name="Mine")
    until(lambda: "mine" in names())
    FeedDefinition.objects.get(rkey="mine").delete()
    until(lambda: "mine" not in names())


def test_the_posts_of_a_list_reach_it_too_in_their_order() -> None:
    assert served("bangers").definition.posts == ()
    feed = FeedDefinition.objects.get(rkey="bangers")
    second = PinnedPost.objects.create(feed=feed, position=2, uri=POST)
    PinnedPost.objects.create(feed=feed, position=1, uri=POST[:-1] + "3")
    expected = (PostKey("3kabcdefghij3", b.ALICE), PostKey("3kabcdefghij2", b.ALICE))
    until(lambda: served("bangers").definition.posts == expected)
    second.delete()
    until(lambda: served("bangers").definition.posts == expected[:1])


def test_a_row_that_cannot_be_served_is_left_out_and_named_and_the_others_go_on() -> None:
    FeedDefinition.objects.filter(rkey="top-1h").update(parameters={"hours": 0})
    FeedDefinition.objects.create(publisher=PUBLISHER, rkey="whats-hot", kind="top", display_name="Twice")
    FeedDefinition.objects.filter(rkey="bangers").update(parameters=[], pinned_post="nonsense")
    registry._copy.drop()
    found = registry.registry()
    assert sorted(feed.definition.rkey for feed in found) == ["a-mpls", "at-bangers", "cl-tqsp", "top-24h", "whats-hot"]
    assert {problem.rkey for problem in found.problems} == {"bangers", "top-1h", "whats-hot"}


def test_while_default_is_away_the_last_known_feeds_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    before = names()

    def away(site: object) -> list[Definition]:
        raise DatabaseError("away")

    monkeypatch.setattr(definitions, "enabled", away)
    FeedDefinition.objects.filter(rkey="top-1h").update(enabled=False)
    monkeypatch.setattr(registry._copy, "_check_at", 0.0)  # as half a second later
    assert names() == before
    registry._copy.drop()
    with pytest.raises(FeedUnavailable):
        registry.registry()


def test_a_name_means_the_site_s_own_feed_where_two_publishers_use_it() -> None:
    FeedDefinition.objects.create(
        publisher="did:plc:other", rkey="bangers", kind="static", display_name="Theirs", description="x"
    )
    registry._copy.drop()
    assert served("bangers").definition.publisher == PUBLISHER
    with pytest.raises(UnknownFeed):
        served("nothing")


@pytest.mark.parametrize(
    ("fields", "at", "message"),
    [
        ({"rkey": "a b"}, "rkey", "letters, digits"),
        ({"publisher": "alice.test"}, "publisher", "did"),
        ({"kind": "lukewarm"}, "parameters", "unknown kind 'lukewarm'"),
        ({"parameters": {"hours": 0}}, "parameters", "hours must be"),
        ({"parameters": []}, "parameters", "object"),
        ({"visibility": "private"}, "parameters", "needs a label"),
        ({"kind": "label", "parameters": {"label": "nobody"}}, "parameters", "the label 'nobody' does not exist"),
        ({"rkey": "whats-hot", "publisher": PUBLISHER}, "rkey", "already has a feed with this name"),
        ({"pinned_post": "https://bsky.app/"}, "pinned_post", "at-uri of a post"),
    ],
)
def test_what_cannot_be_served_is_refused_with_its_reason(fields: dict[str, Any], at: str, message: str) -> None:
    good: dict[str, Any] = {"rkey": "mine", "kind": "top", "parameters": {"hours": 2}, "display_name": "Mine"}
    FeedDefinition(**good).full_clean()
    with pytest.raises(ValidationError) as refused:
        FeedDefinition(**{**good, **fields}).full_clean()
    assert message in " ".join(refused.value.message_dict[at])
