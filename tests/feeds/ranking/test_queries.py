"""The reads of feeds reach the primary keys, whatever else the tables hold."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.syntax import Did
from atsite.core.atproto.tid import tid_of_micros
from atsite.core.clickhouse import door
from atsite.core.clock import now_us
from feeds.kinds import label_queries, like_counts
from feeds.ranking.feed import PostKey
from indexer.index.posts import live_posts
from tests.conftest import empty_clickhouse
from tests.feeds.worlds import HOUR, MINUTE, actor, carry

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Rows of each table, spread evenly over 30 days.
ROWS = 200_000
DAYS = 30
NOW = now_us()

TIMES = "toUInt64({now:UInt64} - number * {step:UInt64}) AS moment, atsiteMicrosToTid(moment) AS tid"
POSTS = f"""
INSERT INTO posts (rkey, did, version)
SELECT tid, 'did:plc:a', moment * 1024 FROM (SELECT {TIMES} FROM numbers({ROWS}))
"""
BY_ACTOR = f"""
INSERT INTO posts_by_actor (did, rkey, version)
SELECT concat('did:plc:', toString(number % 1000)), tid, moment * 1024
FROM (SELECT number, {TIMES} FROM numbers({ROWS}))
"""
LIKES = f"""
INSERT INTO engagement (subject_rkey, subject_uri, kind, did, rkey, version)
SELECT tid, concat('at://did:plc:a/app.bsky.feed.post/', tid), 'like', 'did:plc:b', tid, moment * 1024
FROM (SELECT {TIMES} FROM numbers({ROWS}))
"""
RETRACTIONS = f"""
INSERT INTO retractions (kind, rkey, did, version)
SELECT 'like', tid, 'did:plc:b', 1 FROM (SELECT {TIMES} FROM numbers({ROWS}))
"""


def granules(sql: str, params: Mapping[str, object]) -> list[tuple[int, int]]:
    """Of each table read, in the plan's order: (granules that are read, granules there are)."""
    plan = "\n".join(door.column(f"EXPLAIN indexes = 1 {sql}", params, name="tests.explain"))
    return [(int(read), int(all)) for read, all in re.findall(r"Granules: (\d+)/(\d+)", plan)]


@pytest.fixture(scope="module")
def full_tables(django_db_setup: None) -> None:
    """Nobody writes to them in this module."""
    empty_clickhouse()
    params: dict[str, object] = {"now": NOW, "step": DAYS * 24 * HOUR // ROWS}
    for sql in (POSTS, LIKES, RETRACTIONS, BY_ACTOR):
        door.execute(sql, params, name="tests.fill")
    for table in ("posts", "engagement", "retractions", "posts_by_actor"):
        door.execute(f"OPTIMIZE TABLE {table} FINAL", name="tests.optimize")


@pytest.mark.usefixtures("full_tables")
def test_what_a_page_looks_up_costs_a_few_granules() -> None:
    keys = [PostKey(tid_of_micros(NOW - number * 500_000), actor(number)) for number in range(40)]
    params = {"rkeys": [key.rkey for key in keys], "dids": [key.did for key in keys]}
    (read, there), *_ = granules(live_posts.STATES, params)
    assert there > 20
    assert read <= 2


@pytest.mark.usefixtures("full_tables")
def test_candidates_read_their_window_only() -> None:
    low, high = tid_of_micros(NOW - 24 * HOUR), tid_of_micros(NOW)
    params = {"formula": "hot", "now": NOW, "low": low, "high": high, "min_likes": 1, "limit": 5000}
    ((read, there), *_) = granules(like_counts.LIKED_CANDIDATES, params)
    assert there > 100
    assert read <= there // DAYS + 2


@pytest.mark.usefixtures("full_tables")
def test_exact_counts_read_the_candidates_and_the_window_of_retractions() -> None:
    rkeys = [tid_of_micros(NOW - number * 3_600_000) for number in range(40)]
    likes_from = tid_of_micros(NOW - 72 * HOUR)
    params = {"rkeys": rkeys, "formula": "hot", "now": NOW, "likes_from": likes_from}
    roots = like_counts.root_posts()
    read = granules(
        like_counts.LIKED_EXACT.replace("CONDITIONS", roots.sql), {**params, **roots.parameters, "min_likes": 1}
    )
    assert len(read) >= 3
    assert all(part <= there // 10 + 2 for part, there in read)


@pytest.mark.usefixtures("full_tables")
def test_what_was_ever_taken_back_is_read_by_the_keys_of_the_likes() -> None:
    params = {"rkeys": [tid_of_micros(NOW - number * MINUTE) for number in range(40)], "min_likes": 1}
    read = granules(like_counts.LIKED_EVER, params)
    assert len(read) >= 3
    assert all(part <= there // 10 + 2 for part, there in read)


def label_page(label: str, **changes: object) -> dict[str, object]:
    """Parameters of a first page of a label feed."""
    return {"label": label, "rkey": tid_of_micros(NOW), "did": "", "replies": 0, "limit": 41, **changes}


@pytest.mark.usefixtures("full_tables")
def test_a_label_feed_of_few_reads_the_keys_of_its_members() -> None:
    carry("few", *(Did(f"did:plc:{number}") for number in (3, 400, 999)))
    reads = granules(label_queries.POSTS_BY_AUTHOR, label_page("few"))
    read, there = max(reads, key=itemgetter(1))
    assert there > 20
    assert read <= 6


@pytest.mark.usefixtures("full_tables")
def test_a_label_feed_of_many_reads_from_the_newest_on_and_below_its_cursor_only() -> None:
    """Both in the table's order, so that it stops when it has enough; a cursor leaves out what lies above."""
    carry("many", *(actor(number) for number in range(300)))
    plan = "\n".join(
        door.column(f"EXPLAIN PIPELINE {label_queries.POSTS_BY_TIME}", label_page("many"), name="tests.explain")
    )
    whole, there = max(granules(label_queries.POSTS_BY_TIME, label_page("many")), key=itemgetter(1))
    below = tid_of_micros(NOW - DAYS * 24 * HOUR * 9 // 10)
    lower, _ = max(granules(label_queries.POSTS_BY_TIME, label_page("many", rkey=below)), key=itemgetter(1))
    assert "PartialSorting" not in plan
    assert there > 20
    assert whole >= there - 1
    assert lower <= there // 10 + 2
