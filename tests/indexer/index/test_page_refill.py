"""Filling a page from a list of which a part may not be shown; feeds and search have tests of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.index.page_refill import Candidates, Filled, NothingToShow, fill
from tests.steps import steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set


@dataclass
class Numbers:
    """The numbers from 0 on, of which some may be shown; it notes what was read, and how many were looked at."""

    size: int
    good: Set[int]
    asked: list[tuple[int, int]] = field(default_factory=list)
    looked: int = 0

    def read(self, start: int, size: int) -> Candidates[int, int]:
        self.asked.append((start, size))
        end = min(start + size, self.size)
        return Candidates(range(start, end), end if end < self.size else None)

    def shown(self, entries: Sequence[int]) -> Iterator[int]:
        for entry in entries:
            self.looked += 1
            if entry in self.good:
                yield entry

    def page(self, start: int, limit: int, **options: float) -> Filled[int, int]:
        spare, deadline = int(options.get("spare", 0)), options.get("deadline", monotonic() + 3600)
        return fill(start, limit, read=self.read, shown=self.shown, position=_below, spare=spare, deadline=deadline)


def _below(entry: int) -> int:
    return entry + 1


@given(
    good=st.sets(st.integers(0, 299)),
    size=st.integers(0, 300),
    limits=st.lists(st.sampled_from([1, 2, 7, 100]), min_size=1, max_size=4),
    spare=st.integers(0, 10),
)
def test_a_walk_shows_each_good_entry_once_on_full_pages(
    good: set[int], size: int, limits: list[int], spare: int
) -> None:
    expected = [number for number in range(size) if number in good]
    walked: list[int] = []
    at: int | None = 0
    for turn in steps():
        if at is None:
            break
        limit = limits[turn % len(limits)]
        page = Numbers(size, good).page(at, limit, spare=spare)
        assert len(page.entries) == limit or (page.next is None and len(page.entries) < limit)
        assert page.entries or not walked
        walked += page.entries
        at = page.next
    assert walked == expected


def test_a_page_reads_further_down_four_times_in_growing_steps_then_is_short() -> None:
    numbers = Numbers(10_000, {1})
    assert numbers.page(0, 1) == Filled((1,), 682)
    assert numbers.asked == [(0, 2), (2, 8), (10, 32), (42, 128), (170, 512)]
    with pytest.raises(NothingToShow):
        numbers.page(2, 1)
    assert Numbers(682, set()).page(0, 1) == Filled((), None)  # at the end of the list an empty page is the truth


def test_spare_candidates_save_a_second_reading() -> None:
    good = set(range(5, 100))
    few, many = Numbers(100, good), Numbers(100, good)
    assert few.page(0, 3) == many.page(0, 3, spare=5) == Filled((5, 6, 7), 8)
    assert (few.asked, many.asked) == ([(0, 4), (4, 16)], [(0, 9)])


def test_no_more_candidates_are_looked_at_than_the_page_needs() -> None:
    numbers = Numbers(100, set(range(100)))
    assert numbers.page(0, 3, spare=50) == Filled((0, 1, 2), 3)
    assert numbers.looked == 4


def test_after_the_deadline_a_page_is_what_was_found() -> None:
    numbers = Numbers(100, {1, 50})
    assert numbers.page(0, 5, deadline=0.0) == Filled((1,), 6)
    with pytest.raises(NothingToShow):
        numbers.page(2, 5, deadline=0.0)
    assert numbers.asked == [(0, 6), (2, 6)]
