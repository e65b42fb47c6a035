"""Likes, reposts, replies and quotes that posts have now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from atsite.core.clickhouse import door

if TYPE_CHECKING:
    from collections.abc import Collection

    from atsite.core.clickhouse.limits import Limits

Kind = Literal["like", "repost", "reply", "quote"]
KINDS: Final[tuple[Kind, ...]] = ("like", "repost", "reply", "quote")


@dataclass(frozen=True, slots=True)
class PostCounts:
    """Actors who like and reposted a post, and its replies and quotes."""

    uri: str
    likes: int = 0
    reposts: int = 0
    replies: int = 0
    quotes: int = 0


# A row counts while no retraction of its key is younger; replies and quotes are retracted as posts. Each actor's like
# and repost counts once. By record key: posts of others with the same key are counted as well, and left out later.
COUNTS: Final = """
WITH of_these AS
(
    SELECT subject_uri, kind, rkey, did, version, if(kind IN ('reply', 'quote'), 'post', kind) AS retracted_as
    FROM engagement
    WHERE subject_rkey IN {rkeys:Array(String)} AND kind IN {kinds:Array(String)}
)
SELECT
    subject_uri,
    uniqExactIf(cityHash64(did), kind = 'like'),
    uniqExactIf(cityHash64(did), kind = 'repost'),
    uniqExactIf(cityHash64(did, rkey), kind = 'reply'),
    uniqExactIf(cityHash64(did, rkey), kind = 'quote')
FROM of_these
LEFT ANY JOIN
(
    SELECT kind AS retracted_as, rkey, did, max(version) AS gone
    FROM retractions
    WHERE (kind, rkey, did) IN (SELECT retracted_as, rkey, did FROM of_these)
    GROUP BY kind, rkey, did
) AS retracted USING (retracted_as, rkey, did)
WHERE version >= gone
GROUP BY subject_uri
"""


def counts_of(rkeys: Collection[str], *, kinds: Collection[Kind] = KINDS, limits: Limits) -> dict[str, PostCounts]:
    """The counts of all posts with these record keys, by at-uri; one without any is left out.

    What is not among `kinds` is 0. Raises ClickHouseError.
    """
    if not rkeys:
        return {}
    params = {"rkeys": sorted(set(rkeys)), "kinds": list(kinds)}
    rows = door.query(COUNTS, params, into=PostCounts, name="indexer.post_counts", limits=limits)
    return {row.uri: row for row in rows}
