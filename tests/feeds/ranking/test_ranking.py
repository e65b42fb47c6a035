"""Cutting pages from a ranking: pure lists."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsite.core.atproto.tid import tid_of_micros
from feeds.ranking import ranking
from feeds.ranking.feed import FeedUnavailable, PostKey
from feeds.ranking.ranking import Cut, Generation, RankedPost
from tests.steps import steps

if TYPE_CHECKING:
    from collections.abc import Sequence

POSTS = [PostKey(tid_of_micros(1_700_000_000_000_000 - number), f"did:plc:{number:024d}") for number in range(5000)]


class Living:
    """Answers which posts live, and remembers how many it was asked about."""

    def __init__(self, posts: set[PostKey]) -> None:
        self.posts = posts
        self.asked: list[int] = []

    def __call__(self, posts: Sequence[PostKey]) -> set[PostKey]:
        self.asked.append(len(posts))
        return self.posts.intersection(posts)


def walk(posts: Sequence[PostKey], limits: Sequence[int], alive: Living) -> list[list[PostKey]]:
    """The pages from the top to the end, with one limit after the other."""
    pages: list[list[PostKey]] = []
    position: int | None = 0
    for _ in steps():
        if position is None:
            break
        cut = ranking.cut(posts, position, limits[len(pages) % len(limits)], alive)
        pages.append(list(cut.posts))
        position = cut.position
    return pages


@given(
    living=st.lists(st.booleans(), max_size=400),
    limits=st.lists(st.sampled_from([1, 2, 3, 30, 100]), min_size=1, max_size=5),
)
def test_a_walk_shows_each_living_post_once_in_order_on_full_pages(living: list[bool], limits: list[int]) -> None:
    posts = POSTS[: len(living)]
    expected = [post for post, lives in zip(posts, living, strict=True) if lives]
    pages = walk(posts, limits, Living(set(expected)))
    assert [post for page in pages for post in page] == expected
    assert [len(page) for page in pages[:-1]] == [limits[number % len(limits)] for number in range(len(pages) - 1)]
    assert len(pages[-1]) <= limits[(len(pages) - 1) % len(limits)]
    assert expected == [] or pages[-1] != []


def test_a_page_without_dead_posts_takes_one_look_up() -> None:
    alive = Living(set(POSTS))
    assert ranking.cut(POSTS, 0, 30, alive) == Cut(tuple(POSTS[:30]), 30)
    assert alive.asked == [30 + 1 + ranking.SPARE]


def test_a_full_last_page_has_no_position() -> None:
    assert ranking.cut(POSTS[:30], 0, 30, Living(set(POSTS))) == Cut(tuple(POSTS[:30]), None)


def test_dead_posts_at_the_end_of_the_list_promise_no_next_page() -> None:
    assert ranking.cut(POSTS[:60], 0, 30, Living(set(POSTS[:30]))) == Cut(tuple(POSTS[:30]), None)


def test_a_page_looks_further_down_four_times_in_growing_steps_then_is_short() -> None:
    alive = Living({POSTS[5]})
    assert ranking.cut(POSTS, 0, 1, alive) == Cut((POSTS[5],), 12 + 48 + 192 + 768 + 3072)
    assert alive.asked == [12, 48, 192, 768, 3072]


def test_nothing_found_after_four_refills_is_no_page() -> None:
    alive = Living(set())
    with pytest.raises(FeedUnavailable):
        ranking.cut(POSTS, 0, 1, alive)
    assert alive.asked == [12, 48, 192, 768, 3072]


def test_an_empty_list_is_the_end() -> None:
    alive = Living(set())
    assert ranking.cut([], 0, 30, alive) == Cut((), None)
    assert alive.asked == []


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.5, 2.0]), st.integers(0, 50)), unique=True, max_size=40), st.data())
def test_the_next_post_after_one_that_left_is_the_one_below_it(
    entries: list[tuple[float, int]], data: st.DataObject
) -> None:
    ranked = sorted((RankedPost(POSTS[number], score) for score, number in entries), key=order, reverse=True)
    last = RankedPost(POSTS[data.draw(st.integers(0, 50))], data.draw(st.sampled_from([0.0, 1.5, 1.7, 2.0])))
    position = ranking.after(ranked, last.order)
    assert ranked[position:] == [post for post in ranked if post.order < last.order]


def order(post: RankedPost) -> tuple[float, str, str]:
    return post.order


def test_a_generation_survives_its_storage() -> None:
    generation = Generation(tid_of_micros(1_700_000_000_000_000, 7), tuple(POSTS))
    assert Generation.decode(generation.encode()) == generation
    assert generation.made_at == 1_700_000_000_000_000


@pytest.mark.parametrize("stored", [b"", b"junk", zlib.compress(b"junk"), zlib.compress(msgspec.json.encode({"a": 1}))])
def test_what_is_no_generation_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError, match="not a stored generation"):
        Generation.decode(stored)
