"""The plain definition of the score, against a brute force in Python."""

from __future__ import annotations

import pytest

from atsite.core.atproto.syntax import Did
from atsite.core.atproto.tid import micros_of_tid
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    LIKE,
    REPOST,
    Record,
    ago,
    delete,
    like,
    micros,
    post,
    repost,
    store,
    update,
)
from tests.indexer.schema import fold, tables

HOUR = 3_600_000_000


def test_the_view_is_the_brute_force(clickhouse: None) -> None:
    now = micros(ago())
    records = _a_day_of_likes(now)
    store(*records)
    rows = tables.rows(
        "SELECT uri, likes, reposts, age_hours, score, now64(6, 'UTC') FROM recent_posts_with_score ORDER BY uri",
        "uri", "likes", "reposts", "age_hours", "score", "now",
    )  # fmt: skip
    assert {row["uri"]: (row["likes"], row["reposts"]) for row in rows} == _expected_counts(records)
    for row in rows:
        age_hours = (micros(row["now"]) - micros_of_tid(row["uri"].rpartition("/")[2])) / HOUR
        assert row["age_hours"] == pytest.approx(age_hours, abs=1e-3)  # the statement reads the clock more than once
        assert row["score"] == pytest.approx((row["likes"] - 1) / (row["age_hours"] + 2) ** 1.8)


def test_a_post_of_the_next_minute_has_no_negative_age(clickhouse: None) -> None:
    store(post(ALICE, at=ago(minutes=-1)))
    assert tables.rows("SELECT age_hours, score FROM recent_posts_with_score", "age", "score") == [
        {"age": 0, "score": pytest.approx(-1 / 2**1.8)}
    ]


def test_likes_older_than_their_post_count_and_those_older_than_the_window_do_not(clickhouse: None) -> None:
    hello = post(ALICE, at=ago(hours=10))
    store(hello, like(BOB, hello, at=ago(hours=11)), like(CAROL, hello, at=ago(hours=80)))
    assert tables.rows("SELECT likes FROM recent_posts_with_score", "likes") == [{"likes": 1}]


def test_replies_are_not_ranked(clickhouse: None) -> None:
    hello = post(ALICE, at=ago(hours=10))
    store(hello, post(BOB, at=ago(hours=9), reply_to=hello))
    assert tables.rows("SELECT uri FROM recent_posts_with_score", "uri") == [{"uri": hello.uri}]


def _a_day_of_likes(now: int) -> list[Record]:
    """30 posts, each with likes and reposts of up to 29 actors; some twice, some taken back, some given again."""
    actors = [Did(f"did:plc:{number:024d}") for number in range(30)]
    posts = [post(actors[number], at=now - number * HOUR, text=str(number)) for number in range(30)]
    records = list(posts)
    for number, subject in enumerate(posts):
        for actor in actors[:number]:
            first = like(actor, subject, at=now - number * HOUR + HOUR // 3)
            shared = repost(actor, subject, at=now - number * HOUR + HOUR // 4)
            records += [first, shared]
            if (number + int(actor[-2:])) % 3 == 0:
                records.append(like(actor, subject, at=now - number * HOUR + HOUR // 2))
            if (number + int(actor[-2:])) % 4 == 0:
                records += [delete(first, at=now), delete(shared, at=now)]
            if (number + int(actor[-2:])) % 7 == 0:
                other = posts[(number + 1) % 30]
                records.append(update(first, at=now + 1, subject={"uri": other.uri, "cid": other.cid}))
    records.append(delete(posts[20], at=now))
    return records


def _expected_counts(records: list[Record]) -> dict[str, tuple[int, int]]:
    likes, reposts = (fold.actors_by_subject(records, collection) for collection in (LIKE, REPOST))
    uris = [f"at://{did}/app.bsky.feed.post/{rkey}" for did, rkey in fold.live(records, "app.bsky.feed.post")]
    return {uri: (len(likes.get(uri, ())), len(reposts.get(uri, ()))) for uri in sorted(uris)}
