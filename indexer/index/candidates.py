"""Fills pages of lists in which some entries may not be shown. PURE, apart from `read`.

A list gives candidates from a position on. Some are deleted, blocked, or of inactive authors, so a page reads further
down until it has as many entries as requested.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from atsite.core.errors import AtsiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: How often a page that is not full reads on at most, and by what factor each read is larger than the last.
REFILLS: Final = 4
REFILL_FACTOR: Final = 4

C = TypeVar("C")
S = TypeVar("S")
P = TypeVar("P")


class NothingToShow(AtsiteError):
    """None of the checked candidates may be shown, but the list continues; an empty page would look like its end."""


@dataclass(frozen=True, slots=True)
class Candidates(Generic[C, P]):
    """Part of a list, in its order, and the position below it; None at the end of the list."""

    entries: Sequence[C]
    below: P | None


@dataclass(frozen=True, slots=True)
class Filled(Generic[S, P]):
    """The entries of a page, and the position of the next page; None at the end of the list."""

    entries: tuple[S, ...]
    next: P | None


def fill(
    start: P,
    limit: int,
    *,
    read: Callable[[P, int], Candidates[C, P]],
    shown: Callable[[Sequence[C]], Iterable[S]],
    position: Callable[[S], P],
    spare: int = 0,
    deadline: float = inf,
) -> Filled[S, P]:
    """The first `limit` entries from the position `start` on that may be shown.

    `read(position, size)` gives at least `size` candidates, if there are that many. `shown` gives those that may be
    shown, in order; it is called for no more than the page needs. `position` gives the position below an entry.
    `spare`: how many more candidates than the page needs are read, so that a few hidden ones cost no second read. After
    `deadline` (monotonic seconds) it reads no more.

    A page is full, or the last one, or short after REFILLS more reads. Raises NothingToShow if even those found nothing
    and the list continues.
    """
    found: list[S] = []
    at, size = start, limit + 1 + spare
    for _ in range(1 + REFILLS):
        candidates = read(at, size)
        if candidates.entries:
            found += islice(shown(candidates.entries), limit + 1 - len(found))
        if len(found) > limit:  # the extra entry proves that there is a next page
            return Filled(tuple(found[:limit]), position(found[limit - 1]))
        if candidates.below is None:
            return Filled(tuple(found), None)
        if monotonic() > deadline:
            break
        at, size = candidates.below, size * REFILL_FACTOR
    if not found:
        raise NothingToShow("none of the entries that were checked may be shown")
    return Filled(tuple(found), candidates.below)
