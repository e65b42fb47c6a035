"""What the feeds ask of ClickHouse. Times are unix microseconds; a post's age is that of its rkey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.clickhouse import door
from feeds.feed import PostKey
from feeds.ranking import RankedPost

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from atsite.clickhouse.door import Limits

#: For those who wait for a page. One thread: a look-up by key reads a few granules, and more threads took longer.
PAGE = door.Limits(max_execution_time=2, max_memory_usage=500_000_000, max_threads=1, readonly=True)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record key whose posts may rank high, and the score that no post with this key exceeds."""

    rkey: str
    bound: float


# An upper bound for each record key: every like ever created counts, unlikes, doubles and other posts of the same key
# included. Grouping by the key alone reads 16 bytes a row instead of 100 (docs/decisions/0003-schema.md).
HOT_CANDIDATES = """
SELECT
    subject_rkey,
    atsiteHotScore(count(), greatest({now:Int64} - toInt64(atsiteTidToMicros(subject_rkey)), 0) / 3600000000) AS bound
FROM engagement
WHERE kind = 'like' AND subject_rkey >= {low:String} AND subject_rkey < {high:String} AND atsiteIsTid(subject_rkey)
GROUP BY subject_rkey
HAVING count() >= {min_likes:UInt32}
ORDER BY bound DESC, subject_rkey DESC
LIMIT {limit:UInt32}
"""


def hot_candidates(
    *, now: int, low: str, high: str, min_likes: int, limit: int, limits: Limits = door.TASK
) -> list[Candidate]:
    """The record keys from `low` on and below `high` with the highest bounds, highest first."""
    params = {"now": now, "low": low, "high": high, "min_likes": min_likes, "limit": limit}
    return door.query(HOT_CANDIDATES, params, into=Candidate, name="feeds.hot_candidates", limits=limits)


@dataclass(frozen=True, slots=True)
class _Scored:
    rkey: str
    did: str
    score: float


# The same likes as the view recent_posts_with_score counts, for the given record keys only. A like counts while no
# retraction of its key is younger; each actor counts once. Root posts without self-labels.
HOT_EXACT = """
SELECT post.rkey, post.did,
       atsiteHotScore(likes, greatest({now:Int64} - toInt64(atsiteTidToMicros(post.rkey)), 0) / 3600000000) AS score
FROM
(
    SELECT rkey, did, uri
    FROM posts FINAL
    WHERE rkey IN {rkeys:Array(String)} AND eligible AND deleted = 0 AND parent_uri = '' AND empty(labels)
) AS post
INNER JOIN
(
    SELECT subject_uri, uniqExact(cityHash64(did)) AS likes
    FROM engagement
    LEFT ANY JOIN
    (
        SELECT kind, rkey, did, version AS gone
        FROM retractions FINAL
        WHERE kind = 'like' AND rkey >= {likes_from:String}
    ) AS retracted USING (kind, rkey, did)
    WHERE kind = 'like' AND subject_rkey IN {rkeys:Array(String)} AND rkey >= {likes_from:String} AND version >= gone
    GROUP BY subject_uri
    HAVING likes >= {min_likes:UInt32}
) AS counts ON counts.subject_uri = post.uri
ORDER BY score DESC, post.rkey DESC, post.did DESC
"""


def hot_exact(
    rkeys: Sequence[str], *, now: int, likes_from: str, min_likes: int, limits: Limits = door.TASK
) -> list[RankedPost]:
    """The eligible root posts with these record keys and at least `min_likes` live likes, best first."""
    params = {"rkeys": list(rkeys), "now": now, "likes_from": likes_from, "min_likes": min_likes}
    rows = door.query(HOT_EXACT, params, into=_Scored, name="feeds.hot_exact", limits=limits)
    return [RankedPost(PostKey(row.rkey, row.did), row.score) for row in rows]


FOLLOWING_MANY = """
SELECT did FROM following_counts WHERE did IN {dids:Array(String)} AND following >= {least:UInt32}
"""


def following_many(dids: Collection[str], *, least: int, limits: Limits = door.TASK) -> set[str]:
    """Those of `dids` that follow `least` accounts or more."""
    params = {"dids": sorted(dids), "least": least}
    return set(door.column(FOLLOWING_MANY, params, name="feeds.following_many", limits=limits))


# Alive: the post is there, its author is active (unknown is active), and its version is not below the author's floor.
# Only the authors of the given posts are looked up: a set of all inactive actors took 0.8 s instead of 12 ms.
ALIVE = """
SELECT post.rkey, post.did
FROM
(
    SELECT rkey, did, version
    FROM posts FINAL
    WHERE rkey IN {rkeys:Array(String)} AND did IN {dids:Array(String)} AND deleted = 0
) AS post
LEFT ANY JOIN
(
    SELECT did, max(is_inactive) AS inactive, max(below) AS floor
    FROM
    (
        SELECT did, active = 0 AS is_inactive, 0 AS below FROM actor_accounts FINAL WHERE did IN {dids:Array(String)}
        UNION ALL
        SELECT did, 0, floor FROM repo_floors FINAL WHERE did IN {dids:Array(String)}
    )
    GROUP BY did
) AS author ON author.did = post.did
WHERE author.inactive = 0 AND post.version >= author.floor
"""


def alive(posts: Collection[PostKey], *, limits: Limits = PAGE) -> set[PostKey]:
    """Those of `posts` that may be shown: not deleted, by an author who is active."""
    if not posts:
        return set()
    params = {"rkeys": {post.rkey for post in posts}, "dids": {post.did for post in posts}}
    found = door.query(ALIVE, params, into=PostKey, name="feeds.alive", limits=limits)
    return set(found).intersection(posts)
