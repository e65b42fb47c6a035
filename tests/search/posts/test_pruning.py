"""The statements of search read little: the engine's own plan says so."""

from __future__ import annotations

import re
from typing import Final

import pytest

from atsite.core.atproto.syntax import Did
from atsite.core.clickhouse import door
from search.posts import queries
from search.posts.conditions import Filters, where
from search.posts.queries import BOTTOM, MATCHES, NTH_ROW, MatchKey
from search.posts.query_language import parse
from tests.builders import ago, micros

ROWS: Final = 100_000
NOW: Final = micros(ago(minutes=0))
HOUR: Final = 3600 * 1_000_000
DAY: Final = 24 * HOUR
TOP: Final = MatchKey("zzzzzzzzzzzzz", "")

# A post every ten seconds, so eleven days; each author has 50 that follow each other.
FILL = """
INSERT INTO posts (rkey, did, text, created_at, version)
WITH {newest:UInt64} - number * 10000000 AS moment
SELECT atsiteMicrosToTid(moment), concat('did:plc:author', toString(intDiv(number, 50))),
       concat('hello w', toString(number), ' 今日は'), fromUnixTimestamp64Milli(toInt64(intDiv(moment, 1000)), 'UTC'),
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


def granules_read(template: str, q: str, filters: Filters) -> int:
    """How many granules of posts the engine means to read."""
    conditions = where(parse(q), filters, now=NOW)
    ends = {"below_rkey": TOP.rkey, "below_did": "", "down_to_rkey": "", "down_to_did": "", "size": 26, "skipped": 103}
    used = {name: value for name, value in ends.items() if f"{{{name}:" in template}
    plan = door.column(
        "EXPLAIN indexes = 1 " + queries.statement(template, conditions),
        {**conditions.parameters, **used},
        name="tests.explain",
    )
    text = "\n".join(plan)
    of_posts = text[text.index(".posts)") :]
    return int(re.findall(r"Parts: \d+ \| Granules: (\d+)", of_posts)[0])


@pytest.mark.parametrize("template", [MATCHES, NTH_ROW], ids=["matches", "nth_row"])
@pytest.mark.parametrize(
    ("q", "filters", "at_most"),
    [
        ("absent", Filters(), 0),
        ("珈琲", Filters(), 0),
        ("hello w77777", Filters(), 3),
        ("hello", Filters(author=Did("did:plc:author1000")), 2),
        ("日", Filters(author=Did("did:plc:author1000")), 2),
        ("hello", Filters(author=Did("did:plc:nobody")), 0),
        ("hello", Filters(since=NOW - HOUR), 2),
        ("hello", Filters(until=NOW - 10 * DAY), 3),
        ("日", Filters(), 3),
        ("日", Filters(until=NOW - 5 * DAY), 4),
    ],
)
def test_a_narrow_search_reads_few_granules(filled: int, template: str, q: str, filters: Filters, at_most: int) -> None:
    assert granules_read(template, q, filters) <= at_most


def test_matches_are_those_between_the_two_ends(filled: int) -> None:
    conditions = where(parse("hello"), Filters(), now=NOW)
    newest = queries.matches(conditions, below=TOP, down_to=BOTTOM, size=5)
    assert [match.version for match in newest] == [(NOW - number * 10_000_000) << 10 for number in range(5)]

    between = queries.matches(conditions, below=newest[1].key, down_to=newest[3].key, size=5)

    assert between == newest[2:4]
    assert queries.nth_row(conditions, below=newest[1].key, nth=2) == newest[3].key
    assert queries.nth_row(where(parse("w7"), Filters(), now=NOW), below=TOP, nth=2) is None
