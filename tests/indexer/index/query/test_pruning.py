"""The statements of search read little: the engine's own plan says so."""

from __future__ import annotations

import re
from typing import Final

import pytest

from atsite.core.atproto.timestamps import datetime_of_micros
from atsite.core.clickhouse import door
from indexer.index.posts.post_key import PostKey
from indexer.index.query import matches
from indexer.index.query.conditions import Where, where
from indexer.index.query.matches import ROWS as STATEMENT
from indexer.index.query.parse import parse
from indexer.index.query.resolve import resolve
from tests.builders import ago, micros

ROWS: Final = 100_000
NOW: Final = micros(ago(minutes=0))
HOUR: Final = 3600 * 1_000_000
DAY: Final = 24 * HOUR
TOP: Final = PostKey("zzzzzzzzzzzzz", "")

# A post every ten seconds, so eleven days; each author has 50 that follow each other.
FILL = """
INSERT INTO posts (rkey, did, text, tags, mentions, links, domains, created_at, version)
WITH {newest:UInt64} - number * 10000000 AS moment
SELECT atsiteMicrosToTid(moment), concat('did:plc:author', toString(intDiv(number, 50))),
       concat('hello w', toString(number), ' 今日は'), [concat('t', toString(number))],
       [concat('did:plc:t', toString(number))], [concat('https://t', toString(number), '.example')],
       [concat('t', toString(number), '.example')],
       fromUnixTimestamp64Milli(toInt64(intDiv(moment, 1000)), 'UTC'),
       bitShiftLeft(moment, 10)
FROM numbers({rows:UInt64})
"""


@pytest.fixture(scope="module")
def filled(django_db_setup: None) -> int:
    """100,000 posts in one part; no test here may empty the table. The number of its granules."""
    door.execute("TRUNCATE TABLE posts", name="tests.truncate")
    door.execute("TRUNCATE TABLE posts_by_actor", name="tests.truncate")
    door.execute(FILL, {"newest": NOW, "rows": ROWS}, name="tests.fill")
    for table in ("posts", "posts_by_actor"):
        door.execute(f"OPTIMIZE TABLE {table} FINAL", name="tests.optimize")
    granules = door.scalar(
        "SELECT sum(marks) - count() FROM system.parts"
        " WHERE database = currentDatabase() AND table = 'posts' AND active",
        name="tests.granules",
    )
    assert granules >= 12
    return int(granules)


def condition(q: str) -> Where:
    return where(resolve(parse(q)), now=NOW)


def granules_read(q: str) -> int:
    """How many granules of posts the engine means to read."""
    conditions = condition(q)
    ends = {"below_rkey": TOP.rkey, "below_did": "", "down_to_rkey": "", "down_to_did": "", "size": 26}
    plan = door.column(
        "EXPLAIN indexes = 1 " + matches.statement(STATEMENT, conditions),
        {**conditions.parameters, **ends},
        name="tests.explain",
    )
    text = "\n".join(plan)
    of_posts = text[text.index(".posts)") :]
    return int(re.findall(r"Parts: \d+ \| Granules: (\d+)", of_posts)[0])


def day(days: int, *, hours: int = 0) -> str:
    """The moment so long ago, as a value of since and until."""
    return datetime_of_micros(NOW - days * DAY - hours * HOUR)


@pytest.mark.parametrize(
    ("q", "at_most"),
    [
        ("absent", 0),
        ("absent OR missing", 0),
        ('"absent hello"', 0),
        ("(absent hello) OR #missing", 0),
        ("#missing OR domain:missing.example OR mentions:did:plc:nobody", 0),
        ("to:did:plc:nobody OR https://missing.example/a", 0),
        ("#t77777", 3),
        ("to:did:plc:t77777", 3),
        ("mentions:did:plc:t77777", 3),
        ("domain:t77777.example", 3),
        ("https://t77777.example", 3),
        ("w77777 -hello", 3),
        ("(w77777 has:images) OR (#t77777 is:root)", 3),
        ("珈琲", 0),
        ("hello w77777", 3),
        ("hello from:did:plc:author1000", 2),
        ("日 from:did:plc:author1000", 2),
        ("hello from:did:plc:nobody", 0),
        ("hello since:{hour_ago}", 2),
        ("hello until:{days_ago[10]}", 23),
        ("日", 10),
        ("lang:en", 10),
        ("has:images OR absent", 10),
        ("日 until:{days_ago[5]}", 18),
    ],
)
def test_a_narrow_search_reads_few_granules(filled: int, q: str, at_most: int) -> None:
    """The moments are put in here: names of tests must be equal in all processes."""
    moments = {"hour_ago": day(0, hours=1), "days_ago": {days: day(days) for days in (5, 10)}}
    assert granules_read(q.format_map(moments)) <= at_most


@pytest.mark.parametrize("q", ["w77777 OR from:did:plc:author1000", "from:did:plc:author1000 OR #t77777"])
def test_a_branch_by_author_reads_less_than_all(filled: int, q: str) -> None:
    assert granules_read(q) <= 14


def test_rows_are_those_between_the_two_ends(filled: int) -> None:
    conditions = condition("hello")
    newest = matches.rows(conditions, below=TOP, size=5)
    assert [row.version for row in newest.entries] == [(NOW - number * 10_000_000) << 10 for number in range(4)]
    assert newest.below == newest.entries[-1].key

    between = matches.rows(conditions, below=newest.entries[1].key, down_to=newest.entries[3].key, size=5)

    assert list(between.entries) == newest.entries[2:4]
    assert between.below is None
    assert matches.row_count(conditions, at_most=7) == 7
    assert matches.row_count(condition("w7"), at_most=7) == 1
