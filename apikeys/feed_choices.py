"""The feeds that a key may cover, as choices of a form. The app that owns feeds tells which there are; here they are
names (rkeys) alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    #: (rkey, what people call it)
    Named = tuple[str, str]

_ask: Callable[[], Iterable[Named]] = tuple


def told_by(ask: Callable[[], Iterable[Named]]) -> None:
    """`ask` is called whenever a form is made; it tells the feeds that have members."""
    global _ask
    _ask = ask


def choices(also: Iterable[str] = ()) -> list[Named]:
    """The site's feeds, and those of `also` that are none (any more): a key may name them still."""
    known = dict(_ask())
    gone = sorted(set(also) - set(known))
    return [(rkey, f"{name} ({rkey})") for rkey, name in sorted(known.items())] + [
        (rkey, f"{rkey}: no feed with members has this name now") for rkey in gone
    ]
