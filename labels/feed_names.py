"""The feeds that a block may be for, as choices of a form. The app that owns feeds tells which there are; here they are
names (rkeys) alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    #: (rkey, what people call it)
    Named = tuple[str, str]

EVERYWHERE: Final = ("", "Everywhere: every feed, and search")

_ask: Callable[[], Iterable[Named]] = tuple


def told_by(ask: Callable[[], Iterable[Named]]) -> None:
    """`ask` is called whenever a form is made; it tells all feeds."""
    global _ask
    _ask = ask


def choices(also: str = "") -> list[Named]:
    """Everywhere, then the site's feeds, and `also` where it is none (any more): an older block may name it still."""
    known = dict(_ask())
    gone = [(also, f"{also}: there is no such feed now")] if also and also not in known else []
    return [EVERYWHERE, *((rkey, f"{name} ({rkey})") for rkey, name in sorted(known.items())), *gone]
