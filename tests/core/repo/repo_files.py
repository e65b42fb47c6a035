"""Repos as CAR files for tests: valid ones, and the parts of those that only a hostile host makes."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from atsite.core.atproto.keys import public_key_of
from atsite.core.atproto.syntax import Did
from atsite.core.repo import writer
from atsite.core.repo.writer import car, entry, header, put, put_tree, section, sign, varint
from tests.tokens import key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["car", "entry", "header", "put", "put_tree", "section", "sign", "varint"]

DID = Did("did:plc:53iucmf5ldftgqyf2ac7hmhd")
REV = "3migo7fijwi2k"
PRIVATE = key(11)
PUBLIC = public_key_of(PRIVATE)


def layer_of(name: bytes) -> int:
    """Pairs of leading zero bits of the key's SHA-256."""
    digest = int.from_bytes(sha256(name).digest(), "big")
    return (256 - digest.bit_length()) // 2


def put_commit(blocks: dict[bytes, bytes], tree: bytes, **changes: Any) -> bytes:
    """Adds a commit of the tests' account, unless `changes` says otherwise; returns its CID."""
    return writer.put_commit(blocks, tree, **{"signer": PRIVATE, "did": DID, "rev": REV, **changes})


def put_repo(blocks: dict[bytes, bytes], records: Iterable[tuple[str, Any]], **commit: Any) -> bytes:
    """Adds a whole repo of `collection/rkey` and record; returns the CID of its commit."""
    leaves = [(name.encode(), put(blocks, value)) for name, value in sorted(records)]
    return put_commit(blocks, put_tree(blocks, leaves), **commit)


def repo_file(records: Mapping[str, Any], **commit: Any) -> bytes:
    """A valid CAR file of a repo with these records."""
    blocks: dict[bytes, bytes] = {}
    root = put_repo(blocks, records.items(), **commit)
    return car(root, blocks)
