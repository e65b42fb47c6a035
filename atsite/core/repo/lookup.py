"""Where records are in a tree of which the file may lack a part: what `com.atproto.sync.getRepo?since=` sends.

Such a file has the blocks that are new since a rev: the commit, the nodes of the tree that changed, new records. A
subtree that is missing in it was in the tree at that rev already. So a key whose search ends there is in that subtree,
as it was, or it is gone: its neighbours may have gone with it, and then the subtree has moved up to its place. This
cannot be told from the file alone.

The layers of the keys (https://atproto.com/specs/repository#mst-structure) tell where a key would be, so here, other
than in `tree.py`, they are checked: a key in a wrong layer would be taken for one that is gone.
"""

from __future__ import annotations

from bisect import bisect_left
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from atsite.core.repo.errors import InvalidRepo
from atsite.core.repo.tree import read_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from atsite.core.repo.car import Blocks
    from atsite.core.repo.tree import Entry


class Unsure(Enum):
    """The one answer that a partial file can give besides a CID and None."""

    OLD_OR_GONE = "old or gone"


#: The record is as it was at the rev that the file begins at, or there is none: ask the PDS for the record if it
#: matters. A record that did not exist at that rev does not exist now.
OLD_OR_GONE: Final = Unsure.OLD_OR_GONE


class _Search(NamedTuple):
    """A subtree, and the keys that can only be in it."""

    node: bytes
    layer: int | None  # None above the first node with entries
    above: bytes  # all keys of the subtree are above this one
    below: bytes | None  # and below this one
    keys: list[bytes]


def find(blocks: Blocks, root: bytes, keys: Iterable[bytes]) -> dict[bytes, bytes | Unsure | None]:
    """The CID of each key's record, None where there is none. Raises InvalidRepo.

    Each node is read once. If nodes are missing, every block of the file must be part of the repo: one that is not
    shows that the node above it is missing although it is new.
    """
    layers = {key: layer_of(key) for key in keys}
    found: dict[bytes, bytes | Unsure | None] = dict.fromkeys(layers)
    searches = [_Search(root, None, b"", None, sorted(layers))]
    is_partial = False
    while searches:
        search = searches.pop()
        if search.node not in blocks:
            found.update(dict.fromkeys(search.keys, OLD_OR_GONE))
            is_partial = True
            continue
        before, entries, layer = _node(blocks, search, is_root=search.node == root)
        found.update((entry.key, entry.record) for entry in entries if entry.key in layers)
        for subtree, above, below, part in _gaps(search, before, entries):
            deeper = [key for key in part if layer is None or layers[key] < layer]
            if subtree is not None and deeper:
                searches.append(_Search(subtree, None if layer is None else layer - 1, above, below, deeper))
    if is_partial:
        _check_whole(blocks, root)
    return found


def layer_of(key: bytes) -> int:
    """The layer of the tree that the key must be in: pairs of leading zero bits of its SHA-256."""
    return (256 - int.from_bytes(sha256(key).digest(), "big").bit_length()) // 2


def _node(blocks: Blocks, search: _Search, *, is_root: bool) -> tuple[bytes | None, list[Entry], int | None]:
    """The subtree before the entries, the entries, and the layer, all checked. Raises InvalidRepo."""
    level = read_level(blocks, search.node, is_root=is_root)
    entries, layer, last = list(level.entries), search.layer, search.above
    for entry in entries:
        if entry.key <= last or (search.below is not None and entry.key >= search.below):
            raise InvalidRepo("the keys of the repo's tree do not ascend")
        last = entry.key
        if layer is None:
            layer = layer_of(entry.key)
        if layer_of(entry.key) != layer:
            raise InvalidRepo("a key of the repo's tree is in a wrong layer")
    if layer == 0 and (level.before is not None or any(entry.after is not None for entry in entries)):
        raise InvalidRepo("the repo's tree has a node below the lowest layer")
    return level.before, entries, layer


def _gaps(
    search: _Search, before: bytes | None, entries: list[Entry]
) -> Iterator[tuple[bytes | None, bytes, bytes | None, list[bytes]]]:
    """The link before, between and after the entries, the keys next to it, and the wanted keys between those."""
    start, above, subtree = 0, search.above, before
    for entry in entries:
        end = bisect_left(search.keys, entry.key, start)
        yield subtree, above, entry.key, search.keys[start:end]
        start = end + (end < len(search.keys) and search.keys[end] == entry.key)
        above, subtree = entry.key, entry.after
    yield subtree, above, search.below, search.keys[start:]


def _check_whole(blocks: Blocks, root: bytes) -> None:
    """Raises InvalidRepo if the file has a block that neither is the commit nor can be reached from it."""
    reached = {blocks.slot(blocks.root)}
    pending = [root]
    while pending:
        node = pending.pop()
        slot = blocks.slot(node)
        if slot is None or slot in reached:
            continue
        reached.add(slot)
        level = read_level(blocks, node, is_root=node == root)
        pending += [] if level.before is None else [level.before]
        for entry in level.entries:
            pending += [] if entry.after is None else [entry.after]
            reached.add(blocks.slot(entry.record))
    reached.discard(None)
    if len(reached) != len(blocks):
        raise InvalidRepo(f"the file is incomplete: {len(blocks) - len(reached)} of its blocks belong to missing nodes")
