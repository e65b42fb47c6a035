"""What a page shows of posts besides their rows: cards, descriptions of pictures, and warnings of their authors.

Cards and descriptions are in the raw records, which are kept for 30 days; of older posts only the links are known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from indexer.index.posts.post_key import POST, PostKey
from indexer.index.query import matches
from search.posts.embeds import Embeds, card_of_address, embeds_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

#: Self-labels of what not everyone wants to see at once (com.atproto.label.defs), and how a page calls it.
ADULT: Final[Mapping[str, str]] = {
    "porn": "adult content",
    "sexual": "sexually suggestive content",
    "nudity": "nudity",
    "graphic-media": "graphic media",
    "gore": "graphic media",
    "nsfl": "graphic media",
}
#: A record whose witness is further from its rev than this is in the partition of the witness
#: (indexer/sql/tables/repo_records.sql).
_APART: Final = timedelta(days=3)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Stored:
    rkey: str
    did: str
    links: list[str]
    labels: list[str]
    embed_kind: str
    images: int
    has_video: int
    is_reply: int
    is_quote: int
    time_us: int
    version: int

    @property
    def key(self) -> PostKey:
        return PostKey(self.rkey, self.did)

    @property
    def day(self) -> date:
        """The partition of its raw record."""
        rev = _EPOCH + timedelta(seconds=self.version // 1_024_000_000)
        witness = _EPOCH + timedelta(seconds=self.time_us // 1_000_000)
        return (rev if abs(rev - witness) < _APART else witness).date()


@dataclass(frozen=True, slots=True)
class _Raw:
    did: str
    rkey: str
    record_json: str


@dataclass(frozen=True, slots=True)
class Details:
    """`warning`: what the author says about it, in words; empty for none. `pictures`: how many there are."""

    embeds: Embeds = field(default_factory=Embeds)
    warning: str = ""
    pictures: int = 0
    has_video: bool = False
    is_reply: bool = False
    is_quote: bool = False


# By key, and without the skip index on dids: the key finds the few granules.
STORED: Final = """
SELECT rkey, did, links, labels, embed_kind, images, has_video, parent_uri != '', quote_uri != '', time_us, version
FROM posts FINAL
WHERE rkey IN {rkeys:Array(String)} AND did IN {dids:Array(String)} AND deleted = 0
SETTINGS use_skip_indexes = 0
"""
# The partitions of the days alone: the key of a post would otherwise be looked for in those of all 30 days.
RAW: Final = """
SELECT repo, rkey, any(record_json)
FROM repo_records
WHERE day IN {days:Array(Date)} AND collection = {collection:String}
    AND repo IN {dids:Array(String)} AND rkey IN {rkeys:Array(String)} AND version IN {versions:Array(UInt64)}
    AND operation != 'delete'
GROUP BY repo, rkey
"""
# What an author says about the account holds for its posts. A profile from before a floor warns all the same.
WARNED: Final = """
SELECT did, labels
FROM actor_profiles FINAL
WHERE did IN {dids:Array(String)} AND hasAny(labels, {labels:Array(String)})
"""


@dataclass(frozen=True, slots=True)
class _Warned:
    did: str
    labels: list[str]


def details_of(posts: Collection[PostKey]) -> dict[PostKey, Details]:
    """The details of each of `posts` that is stored. Raises ClickHouseError."""
    if not posts:
        return {}
    rkeys, dids = sorted({post.rkey for post in posts}), sorted({post.did for post in posts})
    keys = {"rkeys": rkeys, "dids": dids}
    wanted = set(posts)
    rows = door.query(STORED, keys, into=_Stored, name="search.details", limits=matches.SEARCH)
    stored = [row for row in rows if row.key in wanted]
    embeds = _embeds([row for row in stored if row.embed_kind])
    warned = _warned(dids)
    return {
        row.key: Details(
            embeds.get(row.key) or _from_links(row),
            _warning([*row.labels, *warned.get(row.did, [])]),
            row.images,
            bool(row.has_video),
            bool(row.is_reply),
            bool(row.is_quote),
        )
        for row in stored
    }


def _embeds(stored: Sequence[_Stored]) -> dict[PostKey, Embeds]:
    """What the raw records say, of those that are still kept."""
    if not stored:
        return {}
    params = {
        "days": sorted({row.day for row in stored}),
        "collection": POST,
        "dids": sorted({row.did for row in stored}),
        "rkeys": sorted({row.rkey for row in stored}),
        "versions": sorted({row.version for row in stored}),
    }
    found = door.query(RAW, params, into=_Raw, name="search.records", limits=matches.SEARCH)
    return {PostKey(row.rkey, row.did): embeds_of(row.record_json) for row in found}


def _from_links(row: _Stored) -> Embeds:
    """Of a post whose raw record is gone: the link of its card, which is the last of its links."""
    if row.embed_kind != "external" or not row.links:
        return Embeds()
    return Embeds(card_of_address(row.links[-1]))


def _warned(dids: Collection[str]) -> dict[str, list[str]]:
    params = {"dids": dids, "labels": sorted(ADULT)}
    found = door.query(WARNED, params, into=_Warned, name="search.warned", limits=matches.SEARCH)
    return {row.did: row.labels for row in found}


def _warning(labels: Collection[str]) -> str:
    """In words, each once."""
    words = dict.fromkeys(ADULT[label] for label in labels if label in ADULT)
    return " and ".join(words)
