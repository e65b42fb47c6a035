"""The cursors of feeds, typed: where in which list the next page begins. PURE; the text is atsite.core.cursor_format's.

| cursor | list | text, before base64url |
|---|---|---|
| Ranked | a stored generation | `[1,"ranked",generation,position]` |
| Computed | a ranking computed because none was stored | `[1,"computed",now,score,rkey,did]` |
| Newest | posts by (rkey, did), descending | `[1,"newest",rkey,did]` |
| Listed | a list of chosen posts | `[1,"listed",position,rkey,did]` |

`decode` raises InvalidCursor for everything that `encode` cannot have made: a broken cursor never means "from the top".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from atsite.core import cursor_format
from atsite.core.atproto.syntax import is_did, is_rkey
from atsite.core.atproto.tid import MICROS_MAX, is_tid
from atsite.core.cursor_format import InvalidCursor

__all__ = ["Computed", "Cursor", "InvalidCursor", "Listed", "Newest", "Ranked", "decode", "encode"]

#: No list is longer, so no larger position was ever given out.
POSITION_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Ranked:
    """The entry `position` (1 or more: a first page needs no cursor) of the stored generation with this id, a TID."""

    generation: str
    position: int


@dataclass(frozen=True, slots=True)
class Computed:
    """After the post (score, rkey, did) of the ranking that was computed for the moment `now` (unix microseconds)."""

    now: int
    score: float
    rkey: str
    did: str


@dataclass(frozen=True, slots=True)
class Newest:
    """Below the post (rkey, did)."""

    rkey: str
    did: str


@dataclass(frozen=True, slots=True)
class Listed:
    """After the post (rkey, did), which stood just before `position` (1 or more)."""

    position: int
    rkey: str
    did: str


Cursor: TypeAlias = Ranked | Computed | Newest | Listed


def encode(cursor: Cursor) -> str:
    """The text that a client sends to get the next page."""
    match cursor:
        case Ranked(generation, position):
            return cursor_format.encode("ranked", generation, position)
        case Computed(now, score, rkey, did):
            return cursor_format.encode("computed", now, score, rkey, did)
        case Newest(rkey, did):
            return cursor_format.encode("newest", rkey, did)
        case Listed(position, rkey, did):
            return cursor_format.encode("listed", position, rkey, did)


def decode(text: str) -> Cursor:
    """The cursor of a text; raises InvalidCursor for every text that `encode` cannot have made."""
    for reader in (_ranked, _computed, _newest, _listed):
        cursor = reader(text)
        if cursor is not None:
            return cursor
    raise InvalidCursor("the cursor is not one that a feed gave out")


def _ranked(text: str) -> Ranked | None:
    parts = _parts("ranked", text, str, int)
    if parts is None or not is_tid(parts[0]) or not 1 <= parts[1] <= POSITION_MAX:
        return None
    return Ranked(*parts)


def _computed(text: str) -> Computed | None:
    parts = _parts("computed", text, int, float, str, str)
    if parts is None or not 0 <= parts[0] <= MICROS_MAX or not is_rkey(parts[2]) or not is_did(parts[3]):
        return None
    return Computed(*parts)


def _newest(text: str) -> Newest | None:
    parts = _parts("newest", text, str, str)
    if parts is None or not is_rkey(parts[0]) or not is_did(parts[1]):
        return None
    return Newest(*parts)


def _listed(text: str) -> Listed | None:
    parts = _parts("listed", text, int, str, str)
    if parts is None or not 1 <= parts[0] <= POSITION_MAX or not is_rkey(parts[1]) or not is_did(parts[2]):
        return None
    return Listed(*parts)


def _parts(kind: str, text: str, *shape: cursor_format.PartType) -> tuple[Any, ...] | None:
    try:
        return cursor_format.decode(kind, text, *shape)
    except InvalidCursor:
        return None
