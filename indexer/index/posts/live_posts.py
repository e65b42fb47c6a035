"""Which of given posts may be shown: what is stored about them and about their authors, by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.core.atproto.tid import is_tid, tid_to_int
from atsite.core.clickhouse import door
from indexer.index.account_status import UNKNOWN, account_statuses
from indexer.index.posts.post_key import PostKey

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from atsite.core.clickhouse.limits import Limits
    from indexer.index.account_status import AccountStatus


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


def alive(posts: Collection[PostKey], *, limits: Limits) -> set[PostKey]:
    """Those of `posts` that may be shown: indexed and eligible, by an active author, and not below their floor."""
    states, authors = _looked_up(posts, limits)
    return {
        post
        for post, state in states.items()
        if state.eligible and not state.deleted and authors.get(post.did, UNKNOWN).shows(state.version)
    }


def alive_or_unknown(posts: Collection[PostKey], *, limits: Limits) -> set[PostKey]:
    """Those of `posts`, which people chose, that may be shown, also if they are not indexed.

    A post that is not indexed is shown unless its author is inactive or it is older than its author's floor.
    """
    states, authors = _looked_up(posts, limits)

    def gone(post: PostKey) -> bool:
        state, author = states.get(post), authors.get(post.did, UNKNOWN)
        if state is None:
            # The floor also applies to purged posts, which are not indexed any more: the key tells their age.
            return not author.shows(tid_to_int(post.rkey)) if is_tid(post.rkey) else not author.active
        return bool(state.deleted) or not author.shows(state.version)

    return {post for post in posts if not gone(post)}


def _looked_up(
    posts: Collection[PostKey], limits: Limits
) -> tuple[Mapping[PostKey, _State], Mapping[str, AccountStatus]]:
    """What is stored about the posts and their authors."""
    if not posts:
        return {}, {}
    dids = {post.did for post in posts}
    params = {"rkeys": {post.rkey for post in posts}, "dids": dids}
    found = {row.key: row for row in door.query(STATES, params, into=_State, name="indexer.post_states", limits=limits)}
    return {post: found[post] for post in posts if post in found}, account_statuses(dids, limits=limits)
