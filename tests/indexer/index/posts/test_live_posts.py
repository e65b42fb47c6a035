"""Which posts may be shown: what the index knows of them and of their authors."""

from __future__ import annotations

import pytest

from atsite.core.clickhouse.limits import READ
from indexer.index.posts import live_posts
from indexer.index.posts.live_posts import PostVersion
from indexer.index.posts.post_key import PostKey
from tests.builders import ALICE, BOB, CAROL, Record, account, ago, delete, floor, micros, post, profile, store, update

pytestmark = pytest.mark.usefixtures("clickhouse")


def key(record: Record) -> PostKey:
    return PostKey(record.rkey, record.did)


def version(record: Record) -> PostVersion:
    return PostVersion(record.rkey, record.did, record.version)


def test_the_last_account_event_and_the_highest_floor_decide() -> None:
    now = micros(ago(minutes=1))
    posts = [post(did, at=ago(minutes=30)) for did in (ALICE, BOB, CAROL)]
    alice = posts[0]
    store(
        *posts,
        account(ALICE, at=ago(hours=1)),
        account(ALICE, active=False, status="deactivated", at=ago(hours=2)),
        account(BOB, active=False, status="deleted", at=ago(hours=1)),
        floor(CAROL, at=now),
        floor(CAROL, at=ago(hours=3)),
    )
    later = post(CAROL, at=now + 1)
    store(later)

    assert live_posts.alive([*map(key, posts), key(later)], limits=READ) == {key(alice), key(later)}
    assert live_posts.alive_or_unknown([*map(key, posts), key(later)], limits=READ) == {key(alice), key(later)}


def test_of_what_was_found_the_newest_versions_stay_each_once_and_in_order() -> None:
    edited, deleted, same = (post(ALICE, at=ago(hours=hours)) for hours in (3, 2, 1))
    edit = update(edited, at=ago(minutes=5), text="now")
    store(edited, deleted, same, edit, delete(deleted, at=ago(minutes=5)))
    store(same)  # delivered twice

    found = list(map(version, (same, same, edit, edited, deleted)))

    assert live_posts.current(found, limits=READ) == [version(same), version(edit)]
    assert live_posts.current([], limits=READ) == []


def test_a_post_with_the_rkey_of_another_is_not_taken_for_it() -> None:
    """The statement asks for rkeys and dids, so it finds pairs that nobody asked for."""
    moment = micros(ago(hours=1))
    first, second = post(ALICE, at=moment), post(BOB, at=moment + 1_000_000)
    other = post(BOB, at=moment + 1, rkey=first.rkey)
    store(first, second, other, delete(first, at=ago(minutes=1)))

    assert live_posts.alive([key(first), key(second)], limits=READ) == {key(second)}


def test_who_is_private_is_shown_to_those_who_are_signed_in() -> None:
    private, public = posts = [post(did, at=ago(hours=1)) for did in (ALICE, BOB)]
    named = profile(ALICE, at=ago(hours=3))
    labels = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "!no-unauthenticated"}]}
    store(*posts, named, update(named, at=ago(hours=2), labels=labels), profile(BOB, at=ago(hours=2)))

    found = list(map(version, posts))

    assert live_posts.current(found, limits=READ, signed_in=False) == [version(public)]
    assert live_posts.current(found, limits=READ) == [version(private), version(public)]
