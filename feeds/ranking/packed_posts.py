"""Lists of posts in a few bytes each: a process keeps thousands of rankings. PURE.

A tuple of PostKey takes some 250 bytes for each post; packed it is 15, and one text for each author.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate
from sys import intern
from typing import TYPE_CHECKING, Self, overload

from feeds.ranking.feed import PostKey

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The length of a TID (https://atproto.com/specs/tid), which nearly all record keys of posts are.
TID_LENGTH = 13


class PackedPosts(Sequence[PostKey]):
    """An immutable list of posts. Equal to any sequence of the same posts."""

    __slots__ = ("_authors", "_dids", "_ends", "_rkeys")

    def __init__(self, keys: Iterable[tuple[str, str]]) -> None:
        """`keys`: (rkey, did) in their order."""
        numbers: dict[str, int] = {}
        rkeys: list[str] = []
        authors = array("I")
        for rkey, did in keys:
            rkeys.append(rkey)
            authors.append(numbers.setdefault(did, len(numbers)))
        self._dids = tuple(map(intern, numbers))  # shared with other lists
        self._authors = authors
        self._rkeys = "".join(rkeys)
        #: Where each record key ends in `_rkeys`; None if all are as long as a TID.
        self._ends: array[int] | None = None
        if any(len(rkey) != TID_LENGTH for rkey in rkeys):
            self._ends = array("I", accumulate(map(len, rkeys)))

    @classmethod
    def of(cls, posts: Iterable[PostKey]) -> Self:
        return cls((post.rkey, post.did) for post in posts)

    def __len__(self) -> int:
        return len(self._authors)

    @overload
    def __getitem__(self, index: int) -> PostKey: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[PostKey, ...]: ...
    def __getitem__(self, index: int | slice) -> PostKey | tuple[PostKey, ...]:
        if isinstance(index, slice):
            return tuple(self._post(number) for number in range(*index.indices(len(self))))
        return self._post(range(len(self))[index])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(PostKey.__eq__, self, other))

    def __hash__(self) -> int:
        return hash((self._dids, self._rkeys))

    def __repr__(self) -> str:
        return f"PackedPosts({list(self)!r})"

    def _post(self, number: int) -> PostKey:
        if self._ends is None:
            rkey = self._rkeys[number * TID_LENGTH : (number + 1) * TID_LENGTH]
        else:
            rkey = self._rkeys[self._ends[number - 1] if number else 0 : self._ends[number]]
        return PostKey(rkey, self._dids[self._authors[number]])
