"""ClickHouse queries of rankings: which posts have many likes, and how many are live. Times are unix microseconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from feeds.ranking.feed import PostKey
from feeds.ranking.queries import PAGE
from feeds.ranking.ranking import RankedPost

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from atsite.core.clickhouse.door import Limits


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record key whose posts may rank high, with an upper bound of their score."""

    rkey: str
    bound: float


# An upper bound for each record key: every like ever created counts, unlikes, doubles and other posts of the same key
# included. Grouping by the key alone reads 16 bytes a row instead of 100 (docs/decisions/0003-schema.md).
LIKED_CANDIDATES = """
SELECT
    subject_rkey,
    if({formula:String} = 'hot',
       atsiteHotScore(count(), greatest({now:Int64} - toInt64(atsiteTidToMicros(subject_rkey)), 0) / 3600000000),
       toFloat64(count())) AS bound
FROM engagement
WHERE kind = 'like' AND subject_rkey >= {low:String} AND subject_rkey < {high:String} AND atsiteIsTid(subject_rkey)
GROUP BY subject_rkey
HAVING count() >= {min_likes:UInt32}
ORDER BY bound DESC, subject_rkey DESC
LIMIT {limit:UInt32}
"""


def liked_candidates(
    *, formula: str, now: int, low: str, high: str, min_likes: int, limit: int, limits: Limits = door.TASK
) -> list[Candidate]:
    """The record keys from `low` on and below `high` with the highest bounds, highest first (likes_ranking)."""
    params = {"formula": formula, "now": now, "low": low, "high": high, "min_likes": min_likes, "limit": limit}
    return door.query(LIKED_CANDIDATES, params, into=Candidate, name="feeds.liked_candidates", limits=limits)


# As they lie in the table, so that the counts of all keys are never in memory together.
LIKED_EVER_CANDIDATES = """
SELECT subject_rkey, toFloat64(count()) AS bound
FROM engagement
WHERE kind = 'like' AND atsiteIsTid(subject_rkey)
GROUP BY subject_rkey
HAVING count() >= {min_likes:UInt32}
ORDER BY bound DESC, subject_rkey DESC
LIMIT {limit:UInt32}
SETTINGS optimize_aggregation_in_order = 1
"""


def liked_ever_candidates(*, min_likes: int, limit: int, limits: Limits = door.TASK) -> list[Candidate]:
    """The record keys with the most likes of all time, most first."""
    params = {"min_likes": min_likes, "limit": limit}
    return door.query(LIKED_EVER_CANDIDATES, params, into=Candidate, name="feeds.liked_ever_candidates", limits=limits)


@dataclass(frozen=True, slots=True)
class _Scored:
    rkey: str
    did: str
    score: float


@dataclass(frozen=True, slots=True)
class PostCondition:
    """Which posts count: a condition on the table posts, made of constants, and its parameters."""

    sql: str
    parameters: Mapping[str, object] = field(default_factory=dict)


#: Every post that may be in a list.
LISTABLE: Final = PostCondition("eligible AND deleted = 0")

ROOT_POSTS: Final = """eligible AND deleted = 0 AND parent_uri = '' AND empty(labels)
      AND ({language:String} = '' OR atsiteHasLanguage(langs, {language:String}))
      AND ({media:String} = 'any' OR (images > 0 OR has_video) = ({media:String} = 'with'))"""


def root_posts(language: str = "", media: str = "any") -> PostCondition:
    """Root posts without self-labels. `language` and `media`: feeds.kinds.likes_ranking."""
    return PostCondition(ROOT_POSTS, {"language": language, "media": media})


# The same likes as the view recent_posts_with_score counts, for the given record keys only. A like counts while no
# retraction of its key is younger; each actor counts once.
LIKED_EXACT = """
SELECT post.rkey, post.did,
       if({formula:String} = 'hot',
          atsiteHotScore(likes, greatest({now:Int64} - toInt64(atsiteTidToMicros(post.rkey)), 0) / 3600000000),
          toFloat64(likes)) AS score
FROM
(
    SELECT rkey, did, uri
    FROM posts FINAL
    WHERE rkey IN {rkeys:Array(String)} AND CONDITIONS
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


def liked_exact(
    rkeys: Sequence[str],
    *,
    formula: str,
    now: int,
    likes_from: str,
    min_likes: int,
    condition: PostCondition,
    limits: Limits = door.TASK,
) -> list[RankedPost]:
    """The posts of `condition` with these record keys and at least `min_likes` live likes, best first.

    Likes count from the record key `likes_from` on.
    """
    params = {
        **condition.parameters,
        "rkeys": list(rkeys),
        "formula": formula,
        "now": now,
        "likes_from": likes_from,
        "min_likes": min_likes,
    }
    statement = LIKED_EXACT.replace("CONDITIONS", condition.sql)
    rows = door.query(statement, params, into=_Scored, name="feeds.liked_exact", limits=limits)
    return [RankedPost(PostKey(row.rkey, row.did), row.score) for row in rows]


# The same for all time. All retractions do not fit in memory, so they are looked up by the keys of these likes.
LIKED_EVER = """
SELECT post.rkey, post.did, toFloat64(likes) AS score
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
        SELECT rkey, did, max(version) AS gone
        FROM retractions
        WHERE kind = 'like' AND (rkey, did) IN
        (
            SELECT rkey, did FROM engagement WHERE kind = 'like' AND subject_rkey IN {rkeys:Array(String)}
        )
        GROUP BY rkey, did
    ) AS retracted USING (rkey, did)
    WHERE kind = 'like' AND subject_rkey IN {rkeys:Array(String)} AND version >= gone
    GROUP BY subject_uri
    HAVING likes >= {min_likes:UInt32}
) AS counts ON counts.subject_uri = post.uri
ORDER BY score DESC, post.rkey DESC, post.did DESC
"""


def liked_ever(rkeys: Sequence[str], *, min_likes: int, limits: Limits = door.TASK) -> list[RankedPost]:
    """The eligible root posts with these record keys and at least `min_likes` live likes of all time, best first.

    Takes about 150 bytes of memory for each like ever created: pass few posts at a time.
    """
    params = {"rkeys": list(rkeys), "min_likes": min_likes}
    rows = door.query(LIKED_EVER, params, into=_Scored, name="feeds.liked_ever", limits=limits)
    return [RankedPost(PostKey(row.rkey, row.did), row.score) for row in rows]


# Likes of one author's newest root posts. Retractions are looked up by the keys of those likes.
BEST_POSTS_OF = """
WITH
    mine AS
    (
        SELECT rkey FROM posts_by_actor FINAL
        WHERE did = {did:String} AND deleted = 0 AND NOT is_reply AND atsiteIsEligibleTid(rkey, version)
        ORDER BY rkey DESC
        LIMIT {posts:UInt32}
    ),
    liked AS
    (
        SELECT subject_rkey, rkey, did, max(version) AS newest
        FROM engagement
        WHERE kind = 'like' AND subject_rkey IN (SELECT rkey FROM mine)
          AND subject_uri = concat('at://', {did:String}, '/app.bsky.feed.post/', subject_rkey)
        GROUP BY subject_rkey, rkey, did
    )
SELECT liked.subject_rkey, {did:String}, toFloat64(uniqExact(liked.did)) AS likes
FROM liked
LEFT ANY JOIN
(
    SELECT rkey, did, max(version) AS gone FROM retractions
    WHERE kind = 'like' AND (rkey, did) IN (SELECT rkey, did FROM liked)
    GROUP BY rkey, did
) AS retracted ON retracted.rkey = liked.rkey AND retracted.did = liked.did
WHERE liked.newest >= retracted.gone
GROUP BY liked.subject_rkey
HAVING likes >= {min_likes:UInt32}
ORDER BY likes DESC, liked.subject_rkey DESC
"""


def best_posts_of(did: str, *, min_likes: int, posts: int, limits: Limits = PAGE) -> list[RankedPost]:
    """The newest `posts` root posts of an actor, by live likes, best first, without those below `min_likes`."""
    params = {"did": did, "min_likes": min_likes, "posts": posts}
    rows = door.query(BEST_POSTS_OF, params, into=_Scored, name="feeds.best_of", limits=limits)
    return [RankedPost(PostKey(row.rkey, row.did), row.score) for row in rows]
