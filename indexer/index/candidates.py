"""Pages of lists from which some entries may not be shown: read on until the page is full. PURE, apart from `read`.

A list gives candidates from a position on; some are deleted, blocked, or of inactive authors, so a page reads further
down until it has as many as were asked for.
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

#: A page that is not full looks further down, this often at most, each time at this many times as many candidates.
REFILLS: Final = 4
REFILL_FACTOR: Final = 4

C = TypeVar("C")
S = TypeVar("S")
P = TypeVar("P")


class NothingToShow(AtsiteError):
    """None of the candidates looked at may be shown, and the list goes on: an empty page would end the walk."""


@dataclass(frozen=True, slots=True)
class Candidates(Generic[C, P]):
    """Part of a list, in its order, and the position below it; None: there are no more."""

    entries: Sequence[C]
    below: P | None


@dataclass(frozen=True, slots=True)
class Filled(Generic[S, P]):
    """At most as many entries as were asked for, and the position of the next page; None: this is the end."""

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

    `read(position, size)` gives `size` candidates or more, if there are so many. `shown` gives those of some that may
    be shown, in order; it is asked for no more than the page needs. `position` says where the list goes on below an
    entry. `spare`: how many candidates are read beyond the page, so that a few that are not shown cost no second
    reading. After `deadline` (monotonic seconds) nothing more is read.

    A page is full, or the end, or short after REFILLS readings more. Raises NothingToShow where even those found
    nothing and the list goes on.
    """
    found: list[S] = []
    at, size = start, limit + 1 + spare
    for _ in range(1 + REFILLS):
        candidates = read(at, size)
        if candidates.entries:
            found += islice(shown(candidates.entries), limit + 1 - len(found))
        if len(found) > limit:  # the one too many proves that there is a next page
            return Filled(tuple(found[:limit]), position(found[limit - 1]))
        if candidates.below is None:
            return Filled(tuple(found), None)
        if monotonic() > deadline:
            break
        at, size = candidates.below, size * REFILL_FACTOR
    if not found:
        raise NothingToShow("none of the entries that were checked may be shown")
    return Filled(tuple(found), candidates.below)
