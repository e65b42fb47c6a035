"""How tests walk: in a bounded number of steps, so that a cursor that repeats fails the test and fills no memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: More pages than any walk of a test has.
STEPS_MAX = 2_000


def steps(most: int = STEPS_MAX) -> Iterator[int]:
    """The numbers of the steps of a loop that ends itself. AssertionError where it has not ended after `most` steps."""
    yield from range(most)
    raise AssertionError(f"no end after {most} steps: does a cursor repeat?")
