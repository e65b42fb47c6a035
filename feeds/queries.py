"""What the feeds ask of ClickHouse. Times are unix microseconds; a post's age is that of its rkey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.clickhouse import door
from feeds.feed import PostKey
from feeds.ranking import RankedPost
from indexer.queries import UNKNOWN, standings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from atsite.clickhouse.door import Limits
    from indexer.queries import Standing

#: For those who wait for a page. One thread: a look-up by key reads a few granules, and more threads took longer.
PAGE = door.Limits(max_execution_time=2, max_memory_usage=500_000_000, max_threads=1, readonly=True)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record key whose posts may rank high, and the score that no post with this key exceeds."""

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
    """The record keys from `low` on and below `high` with the highest bounds, highest first; `formula`: feeds.likes."""
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
    return door.query(LIKED_EVER_CANDIDATES, params, into=Candidate, name="feeds.liked_ever", limits=limits)


@dataclass(frozen=True, slots=True)
class _Scored:
    rkey: str
    did: str
    score: float


# The same likes as the view recent_posts_with_score counts, for the given record keys only. A like counts while no
# retraction of its key is younger; each actor counts once. Root posts without self-labels.
LIKED_EXACT = """
SELECT post.rkey, post.did,
       if({formula:String} = 'hot',
          atsiteHotScore(likes, greatest({now:Int64} - toInt64(atsiteTidToMicros(post.rkey)), 0) / 3600000000),
          toFloat64(likes)) AS score
FROM
(
    SELECT rkey, did, uri
    FROM posts FINAL
    WHERE rkey IN {rkeys:Array(String)} AND eligible AND deleted = 0 AND parent_uri = '' AND empty(labels)
      AND ({language:String} = ''
           OR arrayExists(named -> startsWith(concat(lower(named), '-'), concat(lower({language:String}), '-')), langs))
      AND ({media:String} = 'any' OR (images > 0 OR has_video) = ({media:String} = 'with'))
) AS post
INNER JOIN
(
    SELECT subject_uri, uniqExact(cityHash64(did)) AS likes
    FROM engagement
    LEFT ANY JOIN
    (
        SELECT kind, rkey, did, version AS gone
        FROM retractions FINAL
        WHERE kind = 'like' AND rkey >= {retracted_from:String}
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
    retracted_from: str,
    min_likes: int,
    language: str = "",
    media: str = "any",
    limits: Limits = door.TASK,
) -> list[RankedPost]:
    """The eligible root posts with these record keys and at least `min_likes` live likes, best first.

    Likes count from the record key `likes_from` on; those taken back from `retracted_from` on do not. `language` and
    `media`: feeds.kinds.hot.
    """
    params = {
        "rkeys": list(rkeys),
        "formula": formula,
        "now": now,
        "likes_from": likes_from,
        "retracted_from": retracted_from,
        "min_likes": min_likes,
        "language": language,
        "media": media,
    }
    rows = door.query(LIKED_EXACT, params, into=_Scored, name="feeds.liked_exact", limits=limits)
    return [RankedPost(PostKey(row.rkey, row.did), row.score) for row in rows]


# Likes of one author's newest root posts. What was taken back is looked up by the keys of those likes.
BEST_OF = """
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


def best_of(did: str, *, min_likes: int, posts: int, limits: Limits = PAGE) -> list[RankedPost]:
    """The newest `posts` root posts of an actor by live likes, best first; those with fewer than `min_likes` not."""
    params = {"did": did, "min_likes": min_likes, "posts": posts}
    rows = door.query(BEST_OF, params, into=_Scored, name="feeds.best_of", limits=limits)
    return [RankedPost(PostKey(row.rkey, row.did), row.score) for row in rows]


FOLLOWING_MANY = """
SELECT did FROM following_counts WHERE did IN {dids:Array(String)} AND following >= {least:UInt32}
"""


def following_many(dids: Collection[str], *, least: int, limits: Limits = door.TASK) -> set[str]:
    """Those of `dids` that follow `least` accounts or more."""
    params = {"dids": sorted(dids), "least": least}
    return set(door.column(FOLLOWING_MANY, params, name="feeds.following_many", limits=limits))


@dataclass(frozen=True, slots=True)
class _State:
    rkey: str
    did: str
    version: int
    deleted: int
    eligible: int

    @property
    def key(self) -> PostKey:
        return PostKey(self.rkey, self.did)


# By key, and without the skip index on dids: the key finds the few granules, and the index would only be read in vain.
STATES = """
SELECT rkey, did, version, deleted, eligible
FROM posts FINAL
WHERE rkey IN {rkeys:Array(String)} AND did IN {dids:Array(String)}
SETTINGS use_skip_indexes = 0
"""


def alive(posts: Collection[PostKey], *, limits: Limits = PAGE) -> set[PostKey]:
    """Those of `posts` that may be shown: there and eligible, by an author who is active, and not below their floor."""
    states, authors = _looked_up(posts, limits)
    return {
        post
        for post, state in states.items()
        if state.eligible and not state.deleted and authors.get(post.did, UNKNOWN).shows(state.version)
    }


def not_gone(posts: Collection[PostKey], *, limits: Limits = PAGE) -> set[PostKey]:
    """Those of `posts`, which people named, that may be shown, also where the index does not know them."""
    states, authors = _looked_up(posts, limits)

    def gone(post: PostKey) -> bool:
        state, author = states.get(post), authors.get(post.did, UNKNOWN)
        return not author.active if state is None else bool(state.deleted) or not author.shows(state.version)

    return {post for post in posts if not gone(post)}


def _looked_up(posts: Collection[PostKey], limits: Limits) -> tuple[Mapping[PostKey, _State], Mapping[str, Standing]]:
    """What is stored of the posts, and of their authors."""
    if not posts:
        return {}, {}
    dids = {post.did for post in posts}
    params = {"rkeys": {post.rkey for post in posts}, "dids": dids}
    found = {row.key: row for row in door.query(STATES, params, into=_State, name="feeds.states", limits=limits)}
    return {post: found[post] for post in posts if post in found}, standings(dids, limits=limits)


HANDLE = "SELECT did FROM actor_identities FINAL WHERE handle = {handle:String} ORDER BY version DESC LIMIT 1"


def did_of_handle(handle: str) -> str | None:
    """Who had this handle last, as the stream told; None where it told of nobody."""
    found = door.column(HANDLE, {"handle": handle}, name="feeds.did_of_handle")
    return str(found[0]) if found else None
