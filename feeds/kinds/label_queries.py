"""ClickHouse queries of label feeds: posts and reposts by the members of a label, newest first.

The members are always those of now, and nothing is stored for a feed: a new member's posts appear at once, a removed
member's posts disappear at once. Members are read inside each statement, because the list may be long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.core.clickhouse import door
from feeds.ranking.feed import PostKey
from feeds.ranking.queries import PAGE

if TYPE_CHECKING:
    from collections.abc import Collection

    from atsite.core.atproto.syntax import Did


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """An entry of a label feed: a post, or the repost of `subject` (its at-uri; "" if this is a post itself)."""

    rkey: str
    did: str
    subject: str = ""

    @property
    def key(self) -> PostKey:
        return PostKey(self.rkey, self.did)


COUNT = "SELECT count() FROM actor_labels FINAL WHERE label = {label:String} AND deleted = 0"


def member_count(label: str) -> int:
    """The number of actors with the label."""
    return int(door.scalar(COUNT, {"label": label}, name="feeds.label_count", limits=PAGE))


# By author: reads all keys of the members, and no others.
POSTS_BY_AUTHOR = """
SELECT rkey, did, '' AS subject
FROM posts_by_actor FINAL
WHERE did IN (SELECT did FROM actor_labels FINAL WHERE label = {label:String} AND deleted = 0)
  AND rkey <= {rkey:String} AND (rkey < {rkey:String} OR did < {did:String})
  AND deleted = 0 AND atsiteIsEligibleTid(rkey, version) AND ({replies:UInt8} OR NOT is_reply)
ORDER BY rkey DESC, did DESC
LIMIT {limit:UInt32}
"""

# By time: reads from the newest on, by any author, and stops when it has enough.
POSTS_BY_TIME = """
SELECT rkey, did, '' AS subject
FROM posts FINAL
WHERE rkey <= {rkey:String} AND (rkey < {rkey:String} OR did < {did:String})
  AND did IN (SELECT did FROM actor_labels FINAL WHERE label = {label:String} AND deleted = 0)
  AND deleted = 0 AND eligible AND ({replies:UInt8} OR parent_uri = '')
ORDER BY rkey DESC, did DESC
LIMIT {limit:UInt32}
"""


def posts(label: str, *, below: PostKey, replies: bool, limit: int, by_author: bool) -> list[Entry]:
    """The newest posts by members of the label below a key. `by_author`: read by author instead of by time.

    By author, imported posts (createdAt long before the rkey) are included: filter with queries.alive.
    """
    params = {"label": label, "rkey": below.rkey, "did": below.did, "replies": replies, "limit": limit}
    if by_author:
        return door.query(POSTS_BY_AUTHOR, params, into=Entry, name="feeds.label_posts_few", limits=PAGE)
    return door.query(POSTS_BY_TIME, params, into=Entry, name="feeds.label_posts_many", limits=PAGE)


REPOSTS = """
SELECT rkey, did, subject_uri AS subject
FROM reposts FINAL
WHERE rkey >= {oldest:String} AND rkey <= {rkey:String} AND (rkey < {rkey:String} OR did < {did:String})
  AND did IN (SELECT did FROM actor_labels FINAL WHERE label = {label:String} AND deleted = 0)
  AND deleted = 0 AND eligible AND subject_uri LIKE 'at://%/app.bsky.feed.post/%'
ORDER BY rkey DESC, did DESC
LIMIT {limit:UInt32}
"""


def reposts(label: str, *, below: PostKey, oldest: str, limit: int) -> list[Entry]:
    """The newest reposts by members of the label, from the record key `oldest` on, below a key."""
    params = {"label": label, "rkey": below.rkey, "did": below.did, "oldest": oldest, "limit": limit}
    return door.query(REPOSTS, params, into=Entry, name="feeds.label_reposts", limits=PAGE)


OWN_POSTS = """
SELECT rkey, did
FROM posts FINAL
WHERE rkey IN {rkeys:Array(String)} AND did IN {dids:Array(String)}
  AND did IN (SELECT did FROM actor_labels FINAL WHERE label = {label:String} AND deleted = 0)
  AND deleted = 0 AND eligible AND ({replies:UInt8} OR parent_uri = '')
"""


def own_posts(label: str, subjects: Collection[PostKey], *, replies: bool) -> set[PostKey]:
    """Those of `subjects` that are in the feed as posts by its members."""
    params = {
        "label": label,
        "rkeys": {post.rkey for post in subjects},
        "dids": {post.did for post in subjects},
        "replies": replies,
    }
    return set(door.query(OWN_POSTS, params, into=PostKey, name="feeds.label_own", limits=PAGE)).intersection(subjects)


# The first repost of each post by a member that counts: not deleted, with a plausible rkey, by an author who is active
# and not blocked.
FIRST_REPOSTS = """
WITH reposted AS
(
    SELECT subject_uri, rkey, did, max(version) AS newest
    FROM engagement
    WHERE kind = 'repost' AND subject_rkey IN {rkeys:Array(String)} AND subject_uri IN {uris:Array(String)}
      AND did IN (SELECT did FROM actor_labels FINAL WHERE label = {label:String} AND deleted = 0)
      AND did NOT IN {blocked:Array(String)}
    GROUP BY subject_uri, rkey, did
)
SELECT min((reposted.rkey, reposted.did)).1 AS first_rkey, min((reposted.rkey, reposted.did)).2 AS first_did,
       reposted.subject_uri
FROM reposted
LEFT ANY JOIN
(
    SELECT rkey, did, max(version) AS gone FROM retractions
    WHERE kind = 'repost' AND (rkey, did) IN (SELECT rkey, did FROM reposted)
    GROUP BY rkey, did
) AS retracted ON retracted.rkey = reposted.rkey AND retracted.did = reposted.did
LEFT ANY JOIN
(
    SELECT did, max(is_inactive) AS inactive, max(below) AS floor
    FROM
    (
        SELECT did, active = 0 AS is_inactive, 0 AS below FROM actor_accounts FINAL
        WHERE did IN (SELECT did FROM reposted)
        UNION ALL
        SELECT did, 0, floor FROM repo_floors FINAL WHERE did IN (SELECT did FROM reposted)
    )
    GROUP BY did
) AS author ON author.did = reposted.did
WHERE reposted.newest >= retracted.gone AND reposted.newest >= author.floor AND NOT author.inactive
  AND atsiteIsEligibleTid(reposted.rkey, reposted.newest)
GROUP BY reposted.subject_uri
"""


def first_reposts(label: str, subjects: Collection[PostKey], *, blocked: Collection[Did]) -> set[Entry]:
    """The first repost by a member, for each of `subjects`."""
    params = {
        "label": label,
        "rkeys": {post.rkey for post in subjects},
        "uris": {post.uri for post in subjects},
        "blocked": sorted(blocked),
    }
    return set(door.query(FIRST_REPOSTS, params, into=Entry, name="feeds.label_first_reposts", limits=PAGE))
