"""The most engaged posts of a query: likes and reposts of now, a repost counting twice.

Up to HITS_MAX matches are all counted. Of more, those are found that are among the ENGAGED_MAX posts of the period with
the most likes and reposts ever made, and these are counted: what is not among them would be far down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from atsite.core.atproto.tid import nearest_tid
from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import Limits
from indexer.index.posts.live_posts import PostVersion
from indexer.index.posts.post_counts import counts_of
from indexer.index.query import matches
from indexer.index.query.conditions import OLDEST_SORT_AT_MICROS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from indexer.index.posts.post_counts import PostCounts
    from indexer.index.posts.post_key import PostKey
    from indexer.index.query.conditions import Where

#: Posts of a result.
RESULTS: Final = 1_000
HITS_MAX: Final = 20_000
ENGAGED_MAX: Final = 50_000
#: A reader waits, but only for the first page of ten minutes.
LIMITS: Final = Limits(
    max_execution_time=8, max_memory_usage=1_000_000_000, readonly=True, answer_grace=2, logged=False
)

# sort_at is not later than the record key's time, and of an eligible post at most a day earlier.
PERIOD: Final = "toUnixTimestamp64Micro(sort_at) >= {since:Int64} AND toUnixTimestamp64Micro(sort_at) < {until:Int64}"
HITS: Final = """
SELECT rkey, did, version
FROM posts FINAL
WHERE rkey >= {low:String} AND rkey < {high:String} AND PERIOD AND CONDITIONS
ORDER
LIMIT {size:UInt32}
"""
NEWEST_FIRST: Final = "ORDER BY rkey DESC, did DESC"

# As upper bounds: every like and repost ever made, also those that were taken back and those of other posts of the key.
# A subquery: 50,000 keys as a parameter took 14 s instead of 0.4.
HITS_AMONG: Final = """
SELECT rkey, did, version
FROM posts FINAL
WHERE rkey >= {low:String} AND rkey < {high:String} AND rkey IN
(
    SELECT subject_rkey
    FROM engagement
    WHERE kind IN ('like', 'repost') AND subject_rkey >= {low:String} AND subject_rkey < {high:String}
    GROUP BY subject_rkey
    ORDER BY countIf(kind = 'like') + 2 * countIf(kind = 'repost') DESC, subject_rkey DESC
    LIMIT {size:UInt32}
)
AND PERIOD AND CONDITIONS
"""


def best(where: Where, *, since: int, until: int) -> list[PostKey]:
    """The best RESULTS posts of `where` in a period (unix microseconds), best first; equals newest first.

    Raises ClickHouseError.
    """
    period = {
        "since": since,
        "until": until,
        "low": nearest_tid(since),
        "high": nearest_tid(until + OLDEST_SORT_AT_MICROS),
    }
    hits = _hits(where, period)
    counts = counts_of({hit.rkey for hit in hits}, kinds=("like", "repost"), limits=LIMITS)
    scores = {uri: score(each) for uri, each in counts.items()}
    ranked = sorted(hits, key=lambda hit: (scores.get(hit.key.uri, 0), hit.key), reverse=True)
    return [hit.key for hit in ranked[:RESULTS]]


def _hits(where: Where, period: Mapping[str, object]) -> Sequence[PostVersion]:
    """The matches to count: all of them, or, of very many, the most engaged."""
    found = _found(HITS.replace("ORDER", ""), where, {**period, "size": HITS_MAX + 1}, name="search.hits")
    if len(found) <= HITS_MAX:
        return found
    among = _found(HITS_AMONG, where, {**period, "size": ENGAGED_MAX}, name="search.hits_among")
    if len(among) >= RESULTS:
        return among
    newest = HITS.replace("ORDER", NEWEST_FIRST)
    rest = _found(newest, where, {**period, "size": RESULTS}, name="search.newest_hits")
    return list({hit.key: hit for hit in [*among, *rest]}.values())


def _found(template: str, where: Where, parameters: Mapping[str, object], *, name: str) -> list[PostVersion]:
    statement = matches.statement(template.replace("PERIOD", PERIOD), where)
    return door.query(statement, {**where.parameters, **parameters}, into=PostVersion, name=name, limits=LIMITS)


def score(counts: PostCounts) -> int:
    """A repost counts twice: it takes more than a like, and shows the post to others."""
    return counts.likes + 2 * counts.reposts
