"""A repo as the official PDS keeps it: records, a real tree, signed commits, and the rev that brought each block."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from atsite.core.atproto.tid import int_to_tid
from atsite.core.repo.cid import format_cid, parse_cid
from atsite.core.repo.writer import car, put, put_commit, put_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric import ec

#: collection/rkey -> the record in the form that JSON has, or None for a delete.
Changes = dict[str, dict[str, Any] | None]


class SignedRepo:
    """The repo of one account. `clock` is in unix seconds; revs ascend whatever it says. Not for several threads."""

    def __init__(self, did: str, signer: ec.EllipticCurvePrivateKey, clock: Callable[[], float]) -> None:
        self.did = did
        self.signer = signer
        self._clock = clock
        self._micros = 0
        self._cids: dict[str, bytes] = {}
        self._contents: dict[bytes, bytes] = {}
        #: In which commit each block came, as the integer of its rev.
        self._came: dict[bytes, int] = {}
        self.values: dict[str, dict[str, Any]] = {}
        self.root = b""
        self.rev = ""
        self.commits = 0
        self.write({})

    @property
    def cid(self) -> str:
        """The CID of the newest commit."""
        return format_cid(self.root)

    @property
    def keys(self) -> dict[str, str]:
        """The CID of each record by collection/rkey."""
        return {path: format_cid(cid) for path, cid in self._cids.items()}

    def cid_of(self, path: str) -> str | None:
        """The CID of a record."""
        cid = self._cids.get(path)
        return None if cid is None else format_cid(cid)

    def write(self, changes: Mapping[str, dict[str, Any] | None]) -> None:
        """One commit: create, replace and delete records. A delete of a missing record does nothing."""
        blocks: dict[bytes, bytes] = {}
        for path, value in changes.items():
            if value is None:
                self._cids.pop(path, None)
                self.values.pop(path, None)
            else:
                self._cids[path] = put(blocks, from_json_form(value))
                self.values[path] = value
        self._contents.update(blocks)
        kept = {cid: self._contents[cid] for cid in self._cids.values()}
        tree = put_tree(kept, sorted((path.encode(), cid) for path, cid in self._cids.items()))
        self._micros = max(self._micros + 1, int(self._clock() * 1_000_000))
        number = self._micros << 10
        self.rev = int_to_tid(number)
        self.root = put_commit(kept, tree, signer=self.signer, did=self.did, rev=self.rev)
        self._came = {cid: self._came.get(cid, number) for cid in kept}
        self._contents = kept
        self.commits += 1

    def file(self, since: str = "") -> bytes:
        """What getRepo answers: all blocks, or those that are new since a rev; none if there is no newer commit."""
        return car(
            self.root,
            {
                cid: content
                for cid, content in self._contents.items()
                if not since or int_to_tid(self._came[cid]) > since
            },
        )


def from_json_form(value: Any) -> Any:
    """The value with links and byte strings as bytes, as libipld encodes them."""
    if isinstance(value, dict):
        if value.keys() == {"$link"}:
            return parse_cid(value["$link"])
        if value.keys() == {"$bytes"}:
            return base64.b64decode(value["$bytes"] + "==")
        return {name: from_json_form(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [from_json_form(inner) for inner in value]
    return value
