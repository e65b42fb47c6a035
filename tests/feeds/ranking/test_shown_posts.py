from __future__ import annotations

from feeds.ranking import queries
from feeds.ranking.feed import PostKey
from tests import builders as b
from tests.rows import store


def test_the_newest_version_of_a_post_decides_whichever_arrived_last(clickhouse: None) -> None:
    kept, gone, back = (b.post(b.ALICE, at=b.ago(hours=3), text=text) for text in ("kept", "gone", "back"))
    keys = {PostKey(post.rkey, post.did): post for post in (kept, gone, back)}
    for event in (
        kept,
        b.delete(gone, at=b.ago(hours=1)),
        gone,
        b.update(back, at=b.ago(minutes=30), text="back"),
        b.delete(back, at=b.ago(hours=2)),
    ):
        store(event)  # each a part of its own
    shown = {PostKey(post.rkey, post.did) for post in (kept, back)}
    assert queries.alive(keys) == queries.alive_or_unknown(keys) == shown
