"""A repo as the official PDS stores it: each block with the rev of the commit that brought it."""

from __future__ import annotations

from typing import Any

from atsite.core.atproto.tid import int_to_tid, tid_to_int
from tests.core.repo.repo_files import REV, car, put, put_commit, put_tree


class StoredRepo:
    """A repo whose history is written, and exported whole or from a rev on."""

    def __init__(self) -> None:
        self.records: dict[str, Any] = {}
        self.number = 0
        self.root = b""
        #: cid -> content and the number of the commit since which it is in the repo without a break.
        self.blocks: dict[bytes, tuple[bytes, int]] = {}
        self.commit({})

    def rev(self, number: int) -> str:
        """The rev of a commit."""
        return int_to_tid(tid_to_int(REV) + number)

    def commit(self, changes: dict[str, Any]) -> int:
        """Write records, delete those whose value is None; the number of the new commit."""
        self.number += 1
        for name, value in changes.items():
            if value is None:
                self.records.pop(name, None)
            else:
                self.records[name] = value
        blocks: dict[bytes, bytes] = {}
        leaves = [(name.encode(), put(blocks, value)) for name, value in self.records.items()]
        tree = put_tree(blocks, sorted(leaves))
        self.root = put_commit(blocks, tree, rev=self.rev(self.number))
        before = self.blocks
        self.blocks = {
            cid: (content, before[cid][1] if cid in before else self.number) for cid, content in blocks.items()
        }
        return self.number

    def file(self, since: int = 0) -> bytes:
        """The blocks that are new since a commit, as a CAR file; 0 for all."""
        return car(self.root, {cid: content for cid, (content, number) in self.blocks.items() if number > since})
