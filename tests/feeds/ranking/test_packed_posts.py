"""Posts in a few bytes each are a list like any other."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from feeds.ranking.feed import PostKey
from feeds.ranking.packed_posts import PackedPosts

keys = st.builds(
    PostKey,
    st.one_of(st.text("234567abcdefghij", min_size=13, max_size=13), st.text(min_size=0, max_size=20)),
    st.sampled_from(["did:plc:a", "did:plc:b", "did:web:é.example"]),
)


@given(st.lists(keys, max_size=30), st.slices(30), st.integers(-30, 29))
def test_packed_posts_are_the_same_list(posts: list[PostKey], part: slice, index: int) -> None:
    packed = PackedPosts.of(posts)
    assert (len(packed), list(packed), packed[part]) == (len(posts), posts, tuple(posts[part]))
    assert packed == posts
    assert packed == PackedPosts.of(posts)
    assert hash(packed) == hash(PackedPosts.of(posts))
    if -len(posts) <= index < len(posts):
        assert packed[index] == posts[index]
        assert packed != posts[:index] + posts[index + 1 :] + [PostKey("other", "did:plc:a")]


def test_a_ranking_of_one_author_takes_less_than_twenty_bytes_for_each_post() -> None:
    rankings = [
        [(f"3l{500 * number + post:011}", "did:plc:" + "a" * 24) for post in range(500)] for number in range(20)
    ]
    tracemalloc.start()
    try:
        packed = [PackedPosts(ranking) for ranking in rankings]
        assert tracemalloc.get_traced_memory()[0] < 20 * 500 * len(packed)
    finally:
        tracemalloc.stop()
