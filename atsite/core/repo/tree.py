"""The tree of a repo (a Merkle search tree), walked in the order of its keys.

https://atproto.com/specs/repository#mst-structure. A node is a map: `l` links to the subtree before its entries, and
each entry has `p` (bytes shared with the key before it), `k` (the rest of the key), `v` (the record) and `t` (the
subtree after it). In which layer of the tree a key must be is not checked.

Hostile trees end early. A cycle would need a hash that contains itself. Every subtree has a key, and keys only ascend,
so a node that is linked twice is an error as soon as it repeats a key. Depth and the nodes on a path have limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from atsite.core.repo.cid import DAG_CBOR, is_binary_cid
from atsite.core.repo.dag_cbor import decode_canonical
from atsite.core.repo.errors import InvalidRepo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from atsite.core.repo.car import Blocks

#: Layers are pairs of leading zero bits of a SHA-256, so a tree has at most 129.
DEPTH_MAX: Final = 129
#: Bytes of the nodes between the root and one key, which are in memory together. Most nodes have less than 1 KiB.
PATH_MAX: Final = 1 << 20
#: A collection has at most 317 characters and a record key 512.
_KEY_MAX: Final = 317 + 1 + 512
_WHAT: Final = "a node of the repo's tree"


class Entry(NamedTuple):
    """One key of a node."""

    key: bytes
    record: bytes  # its CID
    after: bytes | None  # the CID of the subtree with the keys after this one


class Level:
    """One node, and how far it was walked."""

    __slots__ = ("before", "entries", "size")

    def __init__(self, before: bytes | None, entries: Iterator[Entry], size: int) -> None:
        self.before = before  # the subtree that is walked next
        self.entries = entries
        self.size = size  # bytes


def walk(blocks: Blocks, root: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each key and the CID of its record, lazily, by ascending key. Raises InvalidRepo, possibly after some keys."""
    last = b""
    levels = [read_level(blocks, root, is_root=True)]
    size = levels[0].size
    while levels:
        level = levels[-1]
        if level.before is not None:
            below, level.before = read_level(blocks, level.before), None
            levels.append(below)
            size += below.size
            if len(levels) > DEPTH_MAX or size > PATH_MAX:
                raise InvalidRepo("the repo's tree is too deep, or its nodes are too large")
        elif (entry := next(level.entries, None)) is not None:
            if entry.key <= last:
                raise InvalidRepo(f"the keys of the repo's tree do not ascend at {_shown(entry.key)}")
            last, level.before = entry.key, entry.after
            yield entry.key, entry.record
        else:
            size -= levels.pop().size


def read_level(blocks: Blocks, cid: bytes, *, is_root: bool = False) -> Level:
    """The node `cid`; its entries are read lazily. Raises InvalidRepo, and so does reading the entries."""
    block = blocks.read(cid, _WHAT)
    node = decode_canonical(block, _WHAT)
    if node.keys() != {"l", "e"} or not isinstance(node["e"], list):
        raise InvalidRepo(f"{_WHAT} does not have the fields of a node")
    before = _subtree(node["l"])
    if not node["e"] and before is None and not is_root:
        raise InvalidRepo(f"{_WHAT} is empty, and is not the root")
    return Level(before, _entries(node["e"]), len(block))


def _entries(items: list[Any]) -> Iterator[Entry]:
    """The entries of a node with their whole keys."""
    key = b""
    for item in items:
        if not isinstance(item, dict) or item.keys() != {"p", "k", "v", "t"}:
            raise InvalidRepo(f"{_WHAT} has an entry without the fields of an entry")
        shared, rest, record = item["p"], item["k"], item["v"]
        if type(shared) is not int or not isinstance(rest, bytes) or not 0 <= shared <= len(key):
            raise InvalidRepo(f"{_WHAT} has an entry with an invalid key")
        before, key = key, key[:shared] + rest
        if len(key) > _KEY_MAX:
            raise InvalidRepo(f"{_WHAT} has a key of {len(key)} bytes")
        if shared < len(before) and before[shared : shared + 1] == rest[:1]:
            raise InvalidRepo(f"{_WHAT} does not shorten the key {_shown(key)} as the protocol says")
        if not isinstance(record, bytes) or not is_binary_cid(record) or not record.startswith(DAG_CBOR):
            raise InvalidRepo(f"the key {_shown(key)} of the repo's tree does not link to a record")
        yield Entry(key, record, _subtree(item["t"]))


def _subtree(value: object) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, bytes) and is_binary_cid(value) and value.startswith(DAG_CBOR):
        return value
    raise InvalidRepo(f"{_WHAT} has an invalid link to a subtree")


def _shown(key: bytes) -> str:
    return repr(key[:80].decode("ascii", "replace"))
