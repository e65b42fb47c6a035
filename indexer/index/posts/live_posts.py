"""Which of given posts may be shown: what is stored about them and about their authors, by key.

One statement: planning it takes most of its time, and four of them would take four times as long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from atsite.core.atproto.tid import is_tid, tid_to_int
from atsite.core.clickhouse import door
from indexer.index.account_status import UNKNOWN, AccountStatus
from indexer.index.posts.post_key import PostKey

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from atsite.core.clickhouse.limits import Limits


@dataclass(frozen=True, slots=True)
class PostVersion:
    """A post as it was found: its key, and the version of the row."""

    rkey: str
    did: str
    version: int

    @property
    def key(self) -> PostKey:
        return PostKey(self.rkey, self.did)


@dataclass(frozen=True, slots=True)
class _Row:
    """`what` is a post, or an actor's last account event (`value`: active), floor, or wish to be private."""

    what: str
    rkey: str
    did: str
    value: int
    deleted: int
    eligible: int


# By key, and without the skip index on dids: the key finds the few granules, and the index would only be read in vain.
# Only the given actors: the set of all inactive ones would take 0.8 s.
STATES = """
SELECT 'post' AS what, rkey, did, max(version) AS value, argMax(deleted, version), argMax(eligible, version)
FROM posts
WHERE rkey IN {rkeys:Array(String)} AND did IN {dids:Array(String)}
GROUP BY rkey, did
UNION ALL
SELECT 'active', '', did, toUInt64(active), 0, 0 FROM actor_accounts FINAL WHERE did IN {dids:Array(String)}
UNION ALL
SELECT 'floor', '', did, floor, 0, 0 FROM repo_floors FINAL WHERE did IN {dids:Array(String)}
"""
# The self-label `!no-unauthenticated`. What a profile from before the account's floor says counts no more.
# people_facts has it by did (indexer/sql/tables/people_facts.sql).
PRIVATE = """UNION ALL
SELECT 'private', '', did, 1, 0, 0
FROM people_facts
WHERE did IN {dids:Array(String)} AND fact IN ('hidden', 'floor')
GROUP BY did
HAVING argMaxIf(people_facts.value, version, fact = 'hidden') = '1'
AND maxIf(version, fact = 'hidden') >= maxIf(version, fact = 'floor')
"""
SETTINGS = "SETTINGS use_skip_indexes = 0"


def alive(posts: Collection[PostKey], *, limits: Limits, signed_in: bool = True) -> set[PostKey]:
    """Those of `posts` that may be shown: indexed and eligible, by an active author, and not below their floor.

    Without `signed_in` also not by an author who asks not to be shown to people who are not signed in.
    Raises ClickHouseError.
    """
    states = _looked_up(posts, limits, signed_in=signed_in)
    return {post for post in states.posts if states.shows(post)}


def current(found: Sequence[PostVersion], *, limits: Limits, signed_in: bool = True) -> list[PostVersion]:
    """Those of `found`, in order, that are the newest version of their post, and may be shown; each once.

    Raises ClickHouseError.
    """
    states = _looked_up({each.key for each in found}, limits, signed_in=signed_in)
    newest = {key: row.value for key, row in states.posts.items() if states.shows(key)}
    return [each for each in dict.fromkeys(found) if newest.get(each.key) == each.version]


def alive_or_unknown(posts: Collection[PostKey], *, limits: Limits) -> set[PostKey]:
    """Those of `posts`, which people chose, that may be shown, also if they are not indexed.

    A post that is not indexed is shown unless its author is inactive or it is older than its author's floor.
    Raises ClickHouseError.
    """
    states = _looked_up(posts, limits)

    def gone(post: PostKey) -> bool:
        row, author = states.posts.get(post), states.author(post.did)
        if row is None:
            # The floor also applies to purged posts, which are not indexed any more: the key tells their age.
            return not author.shows(tid_to_int(post.rkey)) if is_tid(post.rkey) else not author.active
        return bool(row.deleted) or not author.shows(row.value)

    return {post for post in posts if not gone(post)}


@dataclass
class _States:
    """What is stored about posts and their authors."""

    posts: dict[PostKey, _Row] = field(default_factory=dict)
    active: dict[str, bool] = field(default_factory=dict)
    floors: dict[str, int] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)

    def author(self, did: str) -> AccountStatus:
        return AccountStatus(did, self.active.get(did, UNKNOWN.active), self.floors.get(did, UNKNOWN.floor))

    def shows(self, post: PostKey) -> bool:
        row = self.posts[post]
        shown = row.eligible and not row.deleted and post.did not in self.private
        return bool(shown) and self.author(post.did).shows(row.value)


def _looked_up(posts: Collection[PostKey], limits: Limits, *, signed_in: bool = True) -> _States:
    states = _States()
    if not posts:
        return states
    asked = set(posts)
    params = {"rkeys": sorted({post.rkey for post in asked}), "dids": sorted({post.did for post in asked})}
    statement = STATES + ("" if signed_in else PRIVATE) + SETTINGS
    for row in door.query(statement, params, into=_Row, name="indexer.post_states", limits=limits):
        match row.what:
            case "post":
                if (key := PostKey(row.rkey, row.did)) in asked:
                    states.posts[key] = row
            case "active":
                states.active[row.did] = bool(row.value)
            case "floor":
                states.floors[row.did] = row.value
            case _:
                states.private.add(row.did)
    return states
