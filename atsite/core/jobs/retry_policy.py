"""The retry policy of jobs: pauses between tries, and when to give up. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta


def is_last(tries: int, *, max_tries: int) -> bool:
    """Whether a job is given up after this many tries without progress."""
    return tries >= max_tries


def pause_after(
    tries: int, *, first: timedelta, longest: timedelta, requested: timedelta | None = None
) -> timedelta:  # fmt: skip
    """The pause before the next try: `first` after one try, then doubled up to `longest`.

    It is at least `requested`; a request shorter than `first` is used as it is.
    """
    if requested is not None and requested < first:
        return requested
    doubled = min(first * float(2 ** (tries - 1)), longest)
    return doubled if requested is None else max(requested, doubled)
