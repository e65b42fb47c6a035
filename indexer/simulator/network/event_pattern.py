"""The kinds of events: one pattern of 200 slots, repeated without end.

With a fixed pattern every event can be computed from its number alone: a delete slot knows by arithmetic which create
slot it undoes, and a create slot whether and when it is undone. Each undoing slot points to another create slot at a
fixed distance in blocks, so no record is undone twice.
"""

from __future__ import annotations

from enum import StrEnum, auto
from typing import Final

BLOCK: Final = 200
# Coprime with BLOCK: walking by this step spreads each kind evenly over the block.
SPREAD: Final = 73


class Kind(StrEnum):
    """The kind of a slot; if it is impossible (its actor has left, …) the event becomes a like."""

    POST = auto()
    LIKE = auto()
    UNLIKE = auto()
    REPOST = auto()
    UNREPOST = auto()
    FOLLOW = auto()
    UNFOLLOW = auto()
    BLOCK = auto()
    UNBLOCK = auto()
    POST_EDIT = auto()
    POST_DELETE = auto()
    POST_RECREATE = auto()
    PROFILE_UPDATE = auto()
    HANDLE_CHANGE = auto()
    LIFECYCLE = auto()
    BIRTH = auto()
    FOREIGN = auto()
    FOREIGN_UPDATE = auto()
    FOREIGN_DELETE = auto()


# Near the live network's proportions; the rare kinds are more frequent, so that a minute shows each.
COUNTS: Final = {
    Kind.POST: 32,
    Kind.LIKE: 106,
    Kind.UNLIKE: 4,
    Kind.REPOST: 12,
    Kind.UNREPOST: 1,
    Kind.FOLLOW: 16,
    Kind.UNFOLLOW: 2,
    Kind.BLOCK: 2,
    Kind.UNBLOCK: 1,
    Kind.POST_EDIT: 1,
    Kind.POST_DELETE: 2,
    Kind.POST_RECREATE: 1,
    Kind.PROFILE_UPDATE: 2,
    Kind.HANDLE_CHANGE: 1,
    Kind.LIFECYCLE: 1,
    Kind.BIRTH: 3,
    Kind.FOREIGN: 10,
    Kind.FOREIGN_UPDATE: 1,
    Kind.FOREIGN_DELETE: 2,
}


def _lay_out() -> tuple[Kind, ...]:
    slots: list[Kind] = [Kind.LIKE] * BLOCK
    sequence = [kind for kind, count in COUNTS.items() for _ in range(count)]
    assert len(sequence) == BLOCK
    for index, kind in enumerate(sequence):
        slots[index * SPREAD % BLOCK] = kind
    return tuple(slots)


PATTERN: Final = _lay_out()
SLOTS: Final = {kind: tuple(i for i, other in enumerate(PATTERN) if other is kind) for kind in Kind}
assert SLOTS[Kind.POST][0] == 0  # so that every later event has a post to refer to

# The n-th slot of a kind acts on the slot `which` of the created kind, `blocks` earlier.
TARGETS: Final[dict[Kind, tuple[Kind, tuple[tuple[int, int], ...]]]] = {
    Kind.UNLIKE: (Kind.LIKE, ((5, 1), (28, 6), (51, 40), (74, 200))),
    Kind.UNREPOST: (Kind.REPOST, ((3, 9),)),
    Kind.UNFOLLOW: (Kind.FOLLOW, ((2, 4), (9, 120))),
    Kind.UNBLOCK: (Kind.BLOCK, ((0, 15),)),
    Kind.POST_EDIT: (Kind.POST, ((9, 1),)),
    Kind.POST_DELETE: (Kind.POST, ((4, 2), (19, 30))),
    Kind.FOREIGN_UPDATE: (Kind.FOREIGN, ((4, 2),)),
    Kind.FOREIGN_DELETE: (Kind.FOREIGN, ((1, 3), (6, 50))),
}
# The posts of POST_DELETE's first slot come back under the same key, this many blocks after, in one block of four.
RECREATE_BLOCKS: Final = 3
RECREATE_EVERY: Final = 4


def target_of(kind: Kind, slot: int) -> tuple[int, int]:
    """The slot that an undoing or editing slot acts on, and how many blocks earlier it is."""
    created, targets = TARGETS[kind]
    which, blocks = targets[SLOTS[kind].index(slot)]
    return SLOTS[created][which], blocks


# post slot -> (slot that deletes it, blocks later)
POST_DELETED_BY: Final = {
    SLOTS[Kind.POST][which]: (slot, blocks)
    for (which, blocks), slot in zip(TARGETS[Kind.POST_DELETE][1], SLOTS[Kind.POST_DELETE], strict=True)
}
