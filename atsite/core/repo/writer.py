"""Writes repos as CAR files: for networks that this site plays, in the demo and in tests. PURE.

https://atproto.com/specs/repository. A tree is written whole, so each commit takes time for all records.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import libipld
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from atsite.core.atproto.keys import low_s, public_key_of
from atsite.core.repo.cid import cid_of
from atsite.core.repo.lookup import layer_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def put(blocks: dict[bytes, bytes], value: object) -> bytes:
    """Adds the encoding of `value` to `blocks`; returns its CID."""
    content = libipld.encode_dag_cbor(value)
    cid = cid_of(content)
    blocks[cid] = content
    return cid


def put_tree(blocks: dict[bytes, bytes], leaves: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Adds the nodes of the tree with these keys and record CIDs, which ascend; returns the CID of the root node."""
    if not leaves:
        return put(blocks, {"l": None, "e": []})
    layers = [layer_of(name) for name, _ in leaves]
    root = _put_node(blocks, leaves, layers, range(len(leaves)), max(layers))
    assert root is not None
    return root


def _put_node(
    blocks: dict[bytes, bytes], leaves: Sequence[tuple[bytes, bytes]], layers: list[int], part: range, layer: int
) -> bytes | None:
    if not part:
        return None
    own = [index for index in part if layers[index] == layer]
    edges = [part.start - 1, *own, part.stop]
    below = [_put_node(blocks, leaves, layers, range(left + 1, right), layer - 1) for left, right in pairwise(edges)]
    entries, before = [], b""
    for index, after in zip(own, below[1:], strict=True):
        name, cid = leaves[index]
        shared = next((at for at, (a, b) in enumerate(zip(before, name, strict=False)) if a != b), len(before))
        entries.append(entry(name[shared:], cid, shared=shared, after=after))
        before = name
    return put(blocks, {"l": below[0], "e": entries})


def entry(rest: bytes, cid: bytes, *, shared: int = 0, after: bytes | None = None) -> dict[str, Any]:
    """One entry of a node."""
    return {"p": shared, "k": rest, "v": cid, "t": after}


def put_commit(
    blocks: dict[bytes, bytes], tree: bytes, *, signer: ec.EllipticCurvePrivateKey, did: str, rev: str, **changes: Any
) -> bytes:
    """Adds a signed commit; returns its CID. `changes`: other values of its fields."""
    commit = {"did": did, "version": 3, "data": tree, "rev": rev, "prev": None, **changes}
    return put(blocks, commit | {"sig": sign(libipld.encode_dag_cbor(commit), signer)})


def sign(message: bytes, signer: ec.EllipticCurvePrivateKey) -> bytes:
    """The signature r || s, with a low s."""
    r, s = decode_dss_signature(signer.sign(message, ec.ECDSA(hashes.SHA256())))
    return low_s(r.to_bytes(32, "big") + s.to_bytes(32, "big"), public_key_of(signer).algorithm)


def varint(number: int) -> bytes:
    """An unsigned varint."""
    groups = b""
    while number > 0x7F:
        groups += bytes([number & 0x7F | 0x80])
        number >>= 7
    return groups + bytes([number])


def section(cid: bytes, content: bytes) -> bytes:
    """A block as it is in a CAR file."""
    return varint(len(cid) + len(content)) + cid + content


def header(*roots: bytes, version: int = 1) -> bytes:
    """The beginning of a CAR file."""
    encoded: bytes = libipld.encode_dag_cbor({"version": version, "roots": list(roots)})
    return varint(len(encoded)) + encoded


def car(root: bytes, blocks: Mapping[bytes, bytes]) -> bytes:
    """A CAR file with one root."""
    return header(root) + b"".join(section(cid, content) for cid, content in blocks.items())
