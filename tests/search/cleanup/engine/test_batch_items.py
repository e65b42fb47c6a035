"""Plans cut into batches, and outcomes by position."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from search.cleanup.engine.batch_items import at, cut, gates_of, units_of, with_outcomes
from tests.search.cleanup.repo import CID, DAY, OLD, OTHER, gate, plan, post, repost, uri

GATES = ("app.bsky.feed.postgate", "app.bsky.feed.threadgate")


def test_records_go_oldest_first_with_their_gates_behind_them() -> None:
    made = plan(
        post("new", OLD + DAY), post("old"), gate("old"), gate("old", "postgate"), repost(uri("x", did=OTHER), "old")
    )
    assert list(units_of(made)) == [
        [("app.bsky.feed.post/old", CID), (f"{GATES[0]}/old", CID), (f"{GATES[1]}/old", CID)],
        [("app.bsky.feed.repost/old", CID)],
        [("app.bsky.feed.post/new", CID)],
    ]


@given(st.lists(st.integers(1, 3), max_size=50), st.integers(1, 9))
def test_batches_hold_everything_once_in_order_and_no_unit_is_split_that_fits(sizes: list[int], size: int) -> None:
    units = [[(f"{unit}/{part}", "cid") for part in range(parts)] for unit, parts in enumerate(sizes)]
    batches = list(cut(units, size))
    assert [item for batch in batches for item in batch] == [item for unit in units for item in unit]
    assert all(0 < len(batch) <= size for batch in batches)
    for unit in units:
        if len(unit) <= size:
            assert sum(unit[0] in batch and unit[-1] in batch for batch in batches) == 1


def test_outcomes_change_by_position() -> None:
    assert with_outcomes("....", {1: "d", 3: "c"}) == ".d.c"
    assert (at(".d.c", "."), at(".dsc", ".", "s"), at("", ".")) == ([0, 2], [0, 2], [])


def test_gates_belong_to_the_post_with_their_rkey() -> None:
    items = [
        (uri_path, CID)
        for uri_path in ("app.bsky.feed.post/a", f"{GATES[0]}/a", f"{GATES[1]}/b", "app.bsky.feed.like/a")
    ]
    assert gates_of([0], items) == [1]
    assert gates_of([3], items) == []
