"""The signed commit at the root of a repo: https://atproto.com/specs/repository#commit-objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.syntax import Did, Tid, is_did
from atsite.core.atproto.tid import is_tid
from atsite.core.repo.cid import DAG_CBOR, is_binary_cid
from atsite.core.repo.dag_cbor import decode_canonical, encode
from atsite.core.repo.errors import InvalidRepo

if TYPE_CHECKING:
    from atsite.core.atproto.keys import PublicKey

_VERSION: Final = 3
_WHAT: Final = "the repo's commit"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that was checked."""

    did: Did
    rev: Tid
    tree: bytes  # the CID of the root node


def read_commit(block: bytes, did: Did, key: PublicKey | None) -> Commit:
    """The commit in `block`, which must be that of `did` and signed with `key`, if one is given. Raises InvalidRepo."""
    commit = decode_canonical(block, _WHAT)
    version, found, rev, tree = (commit.get(name) for name in ("version", "did", "rev", "data"))
    if type(version) is not int or version != _VERSION:
        raise InvalidRepo(f"{_WHAT} does not have version {_VERSION}")
    if not isinstance(found, str) or not is_did(found):
        raise InvalidRepo(f"{_WHAT} does not name a did")
    if found != did:
        raise InvalidRepo(f"the repo belongs to {found[:80]}, not to {did}")
    if not isinstance(rev, str) or not is_tid(rev):
        raise InvalidRepo(f"{_WHAT} has no valid rev")
    if not isinstance(tree, bytes) or not is_binary_cid(tree) or not tree.startswith(DAG_CBOR):
        raise InvalidRepo(f"{_WHAT} does not link to a tree")
    signature = commit.pop("sig", None)
    if not isinstance(signature, bytes) or (key is not None and not key.verifies(signature, encode(commit))):
        raise InvalidRepo(f"{_WHAT} is not signed with the account's signing key")
    return Commit(did, rev, tree)
